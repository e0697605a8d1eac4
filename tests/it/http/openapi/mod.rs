//! The OpenAPI document.
use super::{Served, options};
use crate::support::temporary;
#[test]
fn dump() {
    let served = Served::with(temporary(), options().openapi(true));
    let answer = served.get("/openapi.json");
    std::fs::write("/tmp/openapi.json", &answer.body).unwrap();
    println!("{answer:?}");
}
