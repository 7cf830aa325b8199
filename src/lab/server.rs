//! Start and stop of the lab cloud.

use std::any::Any;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use actix_web::dev::{Extensions, ServerHandle};
use actix_web::{App, HttpServer, web};
use rustls::ServerConfig;
use thiserror::Error;
use tokio::task::JoinHandle;

use super::call_counts::CallCounts;
use super::dispatch::{self, CallerSocket, Cloud};
use super::fault::Faults;
use super::front;
use super::heavy_work::HeavyWork;
use super::kms::{Kms, StoreError, XksClient, XksListener};
use super::logs::Rates;
use super::plan::{LabPlan, Mistake};
use super::session::Sessions;
use super::trail::Trail;

/// The number of threads. Most calls take microseconds.
const WORKERS: usize = 2;
/// The time that a stop waits for running calls, in seconds.
const SHUTDOWN_TIMEOUT_SECONDS: u64 = 2;

/// The time after the start when interrupted attempts to connect custom key stores continue.
const BEFORE_RESUMPTION: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct LabCloud {
    address: SocketAddr,
    kms: Arc<Kms>,
    health_checks: JoinHandle<()>,
    handle: ServerHandle,
    serving: JoinHandle<io::Result<()>>,
    front: Option<JoinHandle<()>>,
}

impl LabCloud {
    /// Starts the lab cloud with a plan. With port 0 the system chooses the port. The lab stores its keys in the
    /// directory `keys`, or only in memory if there is none. With `tls`, the port speaks both HTTP and HTTPS.
    ///
    /// The function must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`LabError`] if the address is not a loopback address (the lab's secrets are public), or if the port or the
    /// directory cannot be used.
    pub async fn start(
        plan: LabPlan,
        listen: SocketAddr,
        keys: Option<&Path>,
        tls: Option<ServerConfig>,
    ) -> Result<LabCloud, LabError> {
        if !listen.ip().is_loopback() {
            return Err(LabError::NotLoopback(listen));
        }
        let not_bound = |source| LabError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).map_err(not_bound)?;
        let address = listener.local_addr().map_err(not_bound)?;
        let (listener, front) = match tls {
            None => (listener, None),
            Some(tls) => {
                let inner = TcpListener::bind(SocketAddr::new(listen.ip(), 0)).map_err(not_bound)?;
                let to = inner.local_addr().map_err(not_bound)?;
                (inner, Some(front::start(listener, tls, to).map_err(not_bound)?))
            }
        };
        let sessions = Sessions::new().map_err(|_| LabError::NoRandomness)?;
        let (faults, call_counts) = (Arc::<Faults>::default(), Arc::<CallCounts>::default());
        let rules = plan.custom_key_stores();
        let xks = XksClient::new(rules, Arc::clone(&faults), Arc::clone(&call_counts));
        let kms = Kms::open(keys, xks)?;
        let health_checks = tokio::spawn(check_health(Arc::downgrade(&kms), rules.health_check));
        let heavy_work = HeavyWork::start().map_err(LabError::NoThreads)?;
        let (trail, rates) = (Arc::new(Trail::open(plan.trail().clone(), kms.event_tree())?), Rates::default());
        let serving = Arc::clone(&kms);
        let cloud = Cloud { plan, sessions, faults, call_counts, kms: serving, heavy_work, trail, rates };
        let cloud = web::Data::new(cloud);
        let server =
            HttpServer::new(move || App::new().app_data(cloud.clone()).default_service(web::to(dispatch::answer)))
                .workers(WORKERS)
                .disable_signals()
                .shutdown_timeout(SHUTDOWN_TIMEOUT_SECONDS)
                .on_connect(keep_socket)
                .listen(listener)
                .map_err(not_bound)?
                .run();
        let handle = server.handle();
        Ok(LabCloud { address, kms, health_checks, handle, serving: tokio::spawn(server), front })
    }

    /// Sets the listener of the XKS proxy, to which the endpoints of all external key stores lead. Until then none can
    /// be reached.
    ///
    /// # Errors
    /// [`LabError`] if its address is not a loopback address, or its certificates cannot be used.
    pub fn set_xks_listener(&self, listener: &XksListener) -> Result<(), LabError> {
        if !listener.address.ip().is_loopback() {
            return Err(LabError::NotLoopback(listener.address));
        }
        self.kms.xks().set_listener(listener).map_err(LabError::XksCertificates)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops the lab. Running calls get two seconds to end.
    pub async fn stop(self) {
        self.health_checks.abort();
        if let Some(front) = self.front {
            front.abort();
        }
        self.handle.stop(true).await;
        // The lab has stopped in any case, and an error has no remedy.
        let _ = self.serving.await;
    }
}

/// Checks the proxies of connected stores until the lab stops. The first thing is to continue interrupted attempts to
/// connect; they wait until the listener is known.
async fn check_health(kms: Weak<Kms>, every: Duration) {
    tokio::time::sleep(BEFORE_RESUMPTION).await;
    match kms.upgrade() {
        Some(kms) => kms.resume_connections(),
        None => return,
    }
    loop {
        tokio::time::sleep(every).await;
        let Some(kms) = kms.upgrade() else { return };
        kms.check_health();
    }
}

fn keep_socket(connection: &dyn Any, extensions: &mut Extensions) {
    if let Some(socket) = connection.downcast_ref::<actix_web::rt::net::TcpStream>().and_then(CallerSocket::of) {
        extensions.insert(socket);
    }
}

/// The reason why the lab cloud cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LabError {
    /// The file of the plan cannot be read.
    #[error("cannot read the lab cloud's plan {}", path.display())]
    PlanUnreadable { path: PathBuf, source: io::Error },
    /// The plan is not valid TOML, or not of the documented form.
    #[error("the lab cloud's plan, line {line}, column {column}: {problem}")]
    PlanMalformed {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The fault. The text does not quote the line, which may hold a secret.
        problem: String,
    },
    #[error("the lab cloud's plan has mistakes: {}", list(.0))]
    PlanMistaken(Vec<Mistake>),
    /// The address is not a loopback address.
    #[error("the lab cloud listens on loopback only, not on {0}: its secrets are public")]
    NotLoopback(SocketAddr),
    /// The port is in use, or the system forbids it.
    #[error("the lab cloud cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
    /// The stored keys cannot be used.
    #[error("the lab cloud's keys cannot be used")]
    Keys(#[from] StoreError),
    /// The system allows no more threads.
    #[error("the lab cloud cannot start its threads")]
    NoThreads(#[source] io::Error),
    /// The certificates of the XKS listener cannot be used.
    #[error("the certificates of the XKS listener cannot be used")]
    XksCertificates(#[source] rustls::Error),
    /// The system provides no randomness.
    #[error("the system gives no random numbers")]
    NoRandomness,
}

impl LabError {
    /// A syntax error in the plan, with its position.
    pub(super) fn plan_syntax(text: &str, error: &toml::de::Error) -> LabError {
        let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        LabError::PlanMalformed { line, column, problem: error.message().to_owned() }
    }
}

fn list(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(Mistake::to_string).collect::<Vec<_>>().join("; ")
}
