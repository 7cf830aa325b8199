//! Handlers that continue after the client disconnects. actix drops the handler of a connection that breaks, at any of
//! its await points. A handler that has recorded an operation and not yet started it would leave it pending until the
//! next start of the program.

use crate::service::own_calls;
use actix_web::Handler;
use std::future::{Future, pending};
use std::panic::resume_unwind;
use std::pin::Pin;
use tracing::Instrument;

/// A handler that runs to its end once its arguments are read, whether or not the client stays connected.
#[derive(Clone)]
pub struct Detached<H>(pub H);

impl<A, H> Handler<A> for Detached<H>
where
    H: Handler<A, Output: 'static, Future: 'static>,
{
    type Output = H::Output;
    type Future = Pin<Box<dyn Future<Output = H::Output>>>;

    fn call(&self, arguments: A) -> Self::Future {
        let work = actix_web::rt::spawn(own_calls::inherit(self.0.call(arguments)).in_current_span());
        Box::pin(async move {
            match work.await {
                Ok(output) => output,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => resume_unwind(panic),
                    // The worker's runtime has stopped, so this future is about to be dropped.
                    Err(_) => pending().await,
                },
            }
        })
    }
}
