//! Access without credentials, from the same machine only.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::http::HeaderName;
use axum::http::request::Parts;

use super::authenticator::{Authenticator, Rights, Unauthenticated, User};

/// Lets everybody in who asks from this machine, without credentials, as the user `anonymous`.
///
/// Everybody on this machine: all its users, and whatever runs on it. It takes the address of the peer, which the server
/// must give as [`ConnectInfo<SocketAddr>`]: [`serve`](super::serve) does, and so does
/// `axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())`. Without that nobody is let in, and
/// neither is whom a proxy on this machine asks for, as far as it says so.
///
/// # Example
///
/// ```
/// use taskstore::http::{AnonymousLoopback, Options, Rights};
///
/// let options = Options::new(AnonymousLoopback::new(Rights::VIEW));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AnonymousLoopback {
    rights: Rights,
}

impl AnonymousLoopback {
    /// Everybody on this machine has these rights.
    #[must_use]
    pub fn new(rights: Rights) -> Self {
        Self { rights }
    }
}

impl Authenticator for AnonymousLoopback {
    fn authenticate(&self, request: &Parts) -> Result<User, Unauthenticated> {
        let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
        let is_local = peer.is_some_and(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback());
        if !is_local || request.headers.keys().any(is_of_a_proxy) {
            return Err(Unauthenticated::NoCredentials);
        }
        Ok(User::new("anonymous", self.rights))
    }
}

/// Whether this is a header by which a proxy tells whom it asks for.
fn is_of_a_proxy(header: &HeaderName) -> bool {
    let name = header.as_str();
    name.starts_with("x-forwarded") || matches!(name, "forwarded" | "via" | "x-real-ip")
}
