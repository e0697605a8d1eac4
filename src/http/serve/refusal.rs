//! What a connection is told that there is no place for.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::LINGER_TIME_MAX;

const BODY: &str = r#"{"detail":"There are too many connections. Try again."}"#;

/// How long a client may take to begin its request.
const BEGIN_TIME_MAX: Duration = Duration::from_secs(1);

/// Answers 503 and closes the connection, soon also if the client does nothing.
pub(super) async fn refuse(mut stream: TcpStream) {
    // Some clients do not take an answer to what they have not asked yet.
    let _ = timeout(BEGIN_TIME_MAX, stream.readable()).await;
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: {}\r\nretry-after: 1\r\n\
         cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n{BODY}",
        BODY.len()
    );
    // It fits into the buffers of the system, and whoever is gone needs none.
    let answered = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        // To close it on a request that is not read would throw away the answer.
        while stream.read(&mut [0; 4 << 10]).await? > 0 {}
        std::io::Result::Ok(())
    };
    let _ = timeout(LINGER_TIME_MAX, answered).await;
}
