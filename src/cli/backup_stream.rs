//! A backup over the control socket, unencrypted: `claviger backup` encrypts it. It begins with a line, `{"Ok":null}` or
//! `{"Err":"…"}`. A backup has the log and all sealed secrets, so it is only for processes of the server's own user.

use crate::service::backups::Backups;
use std::io::{self, BufWriter, Write};
use tokio::io::AsyncWriteExt;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc;

/// The number of pieces that wait for a slow reader.
const WAITING: usize = 16;
const PIECE_BYTES: usize = 64 * 1024;

/// Sends a backup, or the reason why there is none.
pub(super) async fn answer(
    backups: Result<Backups, String>,
    with_master_key: bool,
    mut to: OwnedWriteHalf,
) -> io::Result<()> {
    match backups {
        Ok(backups) => send(backups, with_master_key, to).await,
        Err(reason) => to.write_all(&line(&Err(reason))?).await,
    }
}

async fn send(backups: Backups, with_master_key: bool, mut to: OwnedWriteHalf) -> io::Result<()> {
    let (pieces, mut waiting) = mpsc::channel(WAITING);
    let made = tokio::task::spawn_blocking(move || write(&backups, with_master_key, pieces));
    while let Some(piece) = waiting.recv().await {
        to.write_all(&piece).await?;
    }
    // The reader misses the end of the backup if this failed.
    if let Err(reason) = made.await.map_err(io::Error::other)? {
        tracing::error!(reason, "a backup could not be made");
    }
    to.shutdown().await
}

fn write(backups: &Backups, with_master_key: bool, pieces: mpsc::Sender<Vec<u8>>) -> Result<(), String> {
    let mut to = BufWriter::with_capacity(PIECE_BYTES, Pieces(pieces));
    let (contents, installation) = match backups.contents(with_master_key) {
        Ok(contents) => contents,
        Err(error) => {
            let reason = error.to_string();
            let told = line(&Err(reason.clone())).and_then(|line| to.write_all(&line)).and_then(|()| to.flush());
            return told.map_err(|error| error.to_string()).and(Err(reason));
        }
    };
    line(&Ok(())).and_then(|line| to.write_all(&line)).map_err(|error| error.to_string())?;
    let (_, trailer) = contents.write_to(to, installation).map_err(|error| error.to_string())?;
    tracing::info!(records = trailer.records, files = trailer.files, "a backup was sent over the control socket");
    Ok(())
}

fn line(answer: &Result<(), String>) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    Ok(line)
}

/// Hands pieces to the task that sends them.
struct Pieces(mpsc::Sender<Vec<u8>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.blocking_send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
