//! One connection, from its begin to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::activity::Activity;
use super::body::{Arriving, Leaving};
use super::options::ServeOptions;
use super::socket::Socket;
use crate::http::guard::or_panicked;
use crate::http::refused::Api;

/// The first line and the headers of a request.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// What waits to be sent. A longer piece of an answer is taken whole, and alone.
const BUFFER_BYTES_MAX: usize = 64 << 10;

pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) activity: Arc<Activity>,
    pub(super) router: Router,
    pub(super) options: ServeOptions,
    /// Changes when the server is to end.
    pub(super) stopping: watch::Receiver<()>,
}

impl Connection {
    /// Answers its requests until the client ends it, it is to make room, or the server ends. What fails on the way ends
    /// it too, and there is nobody to tell.
    pub(super) async fn serve(self) {
        let Self { stream, peer, activity, router, options, mut stopping } = self;
        // Without that it is only slower.
        let _ = stream.set_nodelay(true);
        let socket = Socket::new(stream, Arc::clone(&activity), options.send_time_max);
        let router = TowerToHyperService::new(router);
        let service = service_fn(|request| answer(request, peer, &router, &activity));
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(options.head_time_max)
            .max_header_size(HEAD_BYTES_MAX)
            .max_buf_size(BUFFER_BYTES_MAX)
            .serve_connection(TokioIo::new(socket), service);
        let mut served = pin!(served);
        tokio::select! {
            _ = served.as_mut() => return,
            () = activity.evicted() => return,
            _ = stopping.changed() => served.as_mut().graceful_shutdown(),
        }
        tokio::select! {
            _ = served => {}
            () = activity.evicted() => {}
        }
    }
}

fn answer(
    request: Request<Incoming>,
    peer: SocketAddr,
    router: &TowerToHyperService<Router>,
    activity: &Arc<Activity>,
) -> impl Future<Output = Result<axum::http::Response<Leaving>, Infallible>> + use<> {
    activity.request_began();
    let is_head = request.method() == Method::HEAD;
    let mut request = request.map(|body| Body::new(Arriving::new(body, Arc::clone(activity))));
    request.extensions_mut().insert(ConnectInfo(peer));
    let (router, activity) = (router.clone(), Arc::clone(activity));
    // Also for what an application has beside the routes of the store.
    let answered = or_panicked(Api::SystemTask, async move {
        let Ok(answer) = router.call(request).await;
        answer
    });
    async move { Ok(Leaving::of(answered.await, activity, is_head)) }
}
