//! Closing a connection so that the last words arrive.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use zeroize::Zeroizing;

/// Closes this side and reads until the peer has closed the other, at most for `deadline`. Closing with unread bytes
/// would reset the connection, and a reset may overtake what was written last.
pub async fn part<S>(stream: &mut S, deadline: Duration)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let farewell = async {
        stream.shutdown().await?;
        let mut unread = Zeroizing::new([0; 512]);
        while stream.read(unread.as_mut_slice()).await? > 0 {}
        Ok::<(), io::Error>(())
    };
    // Whatever happens here, the conversation is over.
    let _over = timeout(deadline, farewell).await;
}
