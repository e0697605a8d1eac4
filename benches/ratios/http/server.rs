//! What answers: the library's router and server, or one handler under axum's own server.

use std::net::SocketAddr;
use std::thread;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::any;
use taskstore::TaskStore;
use taskstore::http::{AnonymousLoopback, Options, Rights, ServeOptions, router, serve};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// A server that ends with this.
pub struct Server {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    /// The store's two APIs.
    pub fn of_store(store: &TaskStore) -> Self {
        let router = router(store.clone(), Options::new(AnonymousLoopback::new(Rights::ALL)));
        Self::start(|listener, stopped| async move {
            let stopped = async move { drop(stopped.await) };
            serve(listener, router, ServeOptions::new(), stopped).await.expect("serves");
        })
    }

    /// A handler that answers the same to every request.
    pub fn of_constant(body: Vec<u8>) -> Self {
        let body = Bytes::from(body);
        let answer = move || std::future::ready(([(CONTENT_TYPE, "application/json")], body.clone()));
        let router = Router::new().route("/", any(answer.clone())).route("/{*path}", any(answer));
        Self::start(|listener, stopped| async move {
            let stopped = async move { drop(stopped.await) };
            axum::serve(listener, router).with_graceful_shutdown(stopped).await.expect("serves");
        })
    }

    fn start<F: Future<Output = ()>>(
        serve: impl FnOnce(TcpListener, oneshot::Receiver<()>) -> F + Send + 'static,
    ) -> Self {
        let runtime = Runtime::new().expect("makes a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("listens");
        let address = listener.local_addr().expect("has an address");
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || runtime.block_on(serve(listener, stopped)));
        Self { address, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server ends well");
        }
    }
}
