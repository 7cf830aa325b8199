//! A connection of which requests are read only as fast as they are served.
//!
//! actix decodes all complete requests among what it has read, up to 128 KiB, and a decoded request takes a hundred
//! times the memory of its shortest text. Here it gets only a few of them at once, and further ones when these were
//! answered and the client takes the answers.

use super::connections::Connection;
use std::future::Future;
use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// The bytes that are read before what they say is served.
const BURST: usize = 2 * 1024;
/// The pauses before a connection is looked at again: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// A stream of requests and answers.
pub(super) struct Paced<S> {
    stream: S,
    /// `None` if the connection is ending.
    connection: Option<Connection>,
    /// How many bytes can still be read at once.
    left: usize,
    /// Whether actix could serve what was read.
    yielded: bool,
    pause: Option<Pin<Box<Sleep>>>,
    next_pause: Duration,
}

impl<S> Paced<S> {
    /// The connection of this stream says when more can be read.
    pub(super) fn new(stream: S, connection: Option<Connection>) -> Self {
        Self { stream, connection, left: BURST, yielded: false, pause: None, next_pause: PAUSES.0 }
    }

    /// The connection of the stream; `None` if it is ending.
    pub(super) fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    /// Waits until more can be read.
    fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.left > 0 {
            return Poll::Ready(());
        }
        if !self.yielded {
            self.yielded = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            if self.connection.as_ref().is_none_or(Connection::takes_requests) {
                (self.left, self.yielded, self.next_pause) = (BURST, false, PAUSES.0);
                return Poll::Ready(());
            }
            self.pause = Some(Box::pin(sleep(self.next_pause)));
            self.next_pause = (2 * self.next_pause).min(PAUSES.1);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_room(context));
        let length = to.remaining().min(this.left);
        let mut part = ReadBuf::new(to.initialize_unfilled_to(length));
        ready!(Pin::new(&mut this.stream).poll_read(context, &mut part))?;
        let read = part.filled().len();
        to.advance(read);
        this.left -= read;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;
    use tokio::io::AsyncWriteExt;

    #[tokio::test]
    async fn a_burst_is_served_before_the_next_is_read() {
        let (mut client, server) = tokio::io::duplex(8 * BURST);
        client.write_all(&[1; 2 * BURST + 100]).await.expect("sent");
        let mut paced = Paced::new(server, None);
        let mut read_at_once = || {
            let (mut buffer, mut context) = ([0; 8 * BURST], Context::from_waker(Waker::noop()));
            let mut to = ReadBuf::new(&mut buffer);
            while Pin::new(&mut paced).poll_read(&mut context, &mut to).is_ready() {}
            to.filled().len()
        };
        assert_eq!([(); 4].map(|()| read_at_once()), [BURST, BURST, 100, 0]);
    }
}
