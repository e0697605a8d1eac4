//! Whole lists against the model.

use proptest::prelude::*;

use super::check::whole;
use super::filters::sketches;
use super::model::ORDERS;
use super::one_in;
use super::world::{World, steps};

proptest! {
    #![proptest_config(one_in(2))]

    #[test]
    fn every_filter_in_every_order_gives_what_a_plain_vector_gives(
        steps in steps(),
        sketches in prop::collection::vec(sketches(), 6),
    ) {
        let world = World::new(&steps);
        for asked in sketches.iter().map(|sketch| sketch.on(&world.model)) {
            for order in ORDERS {
                let asked = asked.in_order(order);
                prop_assert_eq!(whole(&world, &asked), Ok(()), "{:?}", asked);
            }
        }
    }
}
