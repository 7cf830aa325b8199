//! A server whose master key comes from an operator: until it has the passphrase, it answers that it is sealed.
//!
//! The passphrase arrives over the control socket, from the user whom the server runs as. Wrong ones are counted, and
//! each delays the next answer. Nothing of the log is read before.

use super::appliance::{self, StartError};
use super::config::{Config, MasterKeyKind};
use super::control::{self, Request};
use super::notify;
use super::options;
use super::process;
use super::tls::Certificate;
use crate::http::server;
use crate::keyring::{Keyring, KeyringError, MasterKeySource};
use serde_json::json;
use std::net::TcpListener;
use std::time::Duration;
use tokio::io::BufReader;
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

/// What a sealed server has when it is unsealed.
pub struct Unsealed {
    pub(super) keyring: Keyring,
    /// The listener, which was open all the time.
    pub(super) listener: TcpListener,
    /// The operator who unsealed it.
    pub uid: u32,
    /// The wrong passphrases before.
    pub failures: u32,
}

/// How a start goes on.
pub enum Start {
    /// The master key does not come from an operator.
    Plain,
    Unsealed(Box<Unsealed>),
    /// A signal ended it.
    Stopped,
}

/// Waits until an operator has unsealed the server, if that is needed.
///
/// # Errors
/// When the server cannot listen, or another one is there.
pub async fn wait(config: &Config) -> Result<Start, StartError> {
    if config.master_key.source != MasterKeyKind::Operator {
        return Ok(Start::Plain);
    }
    process::protect_memory();
    process::raise_file_limit();
    let data_dir = &config.storage.data_dir;
    appliance::make_data_dir(data_dir)?;
    if UnixStream::connect(control::path(data_dir)).await.is_ok() {
        return Err(KeyringError::InUse(data_dir.clone()).into());
    }
    let address = config.server.listen;
    let listen = |source| StartError::Listen { address, source };
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
    // Without a handler, it would end the process.
    let _hangup = signal(SignalKind::hangup()).map_err(StartError::Signals)?;
    let certificate = Certificate::load(&config.tls, data_dir)?;
    let listener = TcpListener::bind(address).map_err(listen)?;
    let own = listener.try_clone().map_err(listen)?;
    let settings = options::server_options(config, own, certificate.server_config()?);
    let (server, running) = server::start_sealed(settings).map_err(listen)?;
    let serving = tokio::spawn(running);
    let socket = control::listen(data_dir).map_err(StartError::Control)?;
    // It goes on while the log is read, which may take long.
    drop(notify::watch());
    notify::ready(&format!("sealed on {}; run `claviger unseal`", server.address));
    tracing::warn!(address = %server.address, "sealed: run `claviger unseal`");
    let unsealed = tokio::select! {
        unsealed = unseal(config, &socket) => Some(unsealed),
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
    };
    drop(socket);
    if unsealed.is_none() {
        notify::stopping();
    }
    // An open connection that asks nothing must not delay the start.
    server.handle.stop(false).await;
    let _ = serving.await;
    Ok(match unsealed {
        Some((keyring, uid, failures)) => {
            tracing::info!(uid, failures, "unsealed");
            Start::Unsealed(Box::new(Unsealed { keyring, listener, uid, failures }))
        }
        None => Start::Stopped,
    })
}

/// Answers callers of the control socket, one after the other, until one has given the right passphrase. Returns the
/// caller's user and the number of wrong ones before.
async fn unseal(config: &Config, socket: &UnixListener) -> (Keyring, u32, u32) {
    let mut failures = 0;
    loop {
        let caller = match socket.accept().await {
            Ok((caller, _)) => caller,
            Err(error) => {
                tracing::warn!(%error, "the control socket could not take a caller");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let peer = control::operator(caller.peer_cred().map(|peer| peer.uid()));
        let (reader, writer) = caller.into_split();
        let mut reader = BufReader::new(reader);
        // Whoever connects and says nothing must not keep others from unsealing.
        let request = tokio::time::timeout(REQUEST_TIME, control::read_request(&mut reader)).await;
        let outcome = match (request, peer) {
            (Ok(Ok(Some(Request::Unseal { passphrase }))), Ok(uid)) => {
                open(config, passphrase.0).await.map(|keyring| (keyring, uid))
            }
            (Ok(Ok(Some(_))), Ok(_)) => Err(Refused::Other(control::SEALED.to_owned())),
            (Ok(Ok(None)), Ok(_)) => Err(Refused::Other(control::UNKNOWN_REQUEST.to_owned())),
            (Ok(Ok(_)), Err(reason)) => Err(Refused::Other(reason)),
            (Ok(Err(_)) | Err(_), _) => continue,
        };
        let answer = match &outcome {
            Ok(_) => json!(Ok::<_, ()>(())),
            Err(Refused::Wrong) => {
                failures += 1;
                tracing::warn!(failures, "a wrong passphrase was given");
                tokio::time::sleep(delay(failures)).await;
                json!(Err::<(), _>(format!("the passphrase is wrong (wrong ones since the start: {failures})")))
            }
            Err(Refused::Other(reason)) => json!(Err::<(), _>(reason)),
        };
        // Whether the caller still reads it changes nothing.
        let _ = control::write_line(writer, &answer).await;
        if let Ok((keyring, uid)) = outcome {
            return (keyring, uid, failures);
        }
    }
}

/// The time that a caller has to send its request.
const REQUEST_TIME: Duration = Duration::from_secs(5);

/// The delay of the answer to a wrong passphrase, which the next caller waits for too.
fn delay(failures: u32) -> Duration {
    Duration::from_millis(250 << failures.saturating_sub(1).min(5))
}

enum Refused {
    Wrong,
    Other(String),
}

async fn open(config: &Config, passphrase: Zeroizing<String>) -> Result<Keyring, Refused> {
    let directory = config.storage.keyring_dir();
    // The derivation takes a moment and much memory.
    let open = move || Keyring::open(&directory, MasterKeySource::Passphrase(passphrase));
    match tokio::task::spawn_blocking(open).await {
        Ok(Ok(keyring)) => Ok(keyring),
        Ok(Err(KeyringError::WrongMasterKey(_))) => Err(Refused::Wrong),
        Ok(Err(error)) => Err(Refused::Other(error.to_string())),
        Err(_) => Err(Refused::Other("the passphrase could not be checked".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_passphrase_delays_more_up_to_eight_seconds() {
        let delays: Vec<_> = (1..9).map(|failures| delay(failures).as_millis()).collect();
        assert_eq!(delays, [250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);
    }
}
