//! Handlers that go on when the client goes away. actix drops the handler of a connection that breaks, wherever it
//! waits; one that has recorded an order and not yet begun with it would leave it lying until the next start.

use actix_web::Handler;
use std::future::{Future, pending};
use std::panic::resume_unwind;
use std::pin::Pin;
use tracing::Instrument;

/// A handler whose work is finished once its arguments are there, whatever its client does.
#[derive(Clone)]
pub struct Detached<H>(pub H);

impl<A, H> Handler<A> for Detached<H>
where
    H: Handler<A, Output: 'static, Future: 'static>,
{
    type Output = H::Output;
    type Future = Pin<Box<dyn Future<Output = H::Output>>>;

    fn call(&self, arguments: A) -> Self::Future {
        let work = actix_web::rt::spawn(self.0.call(arguments).in_current_span());
        Box::pin(async move {
            match work.await {
                Ok(output) => output,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => resume_unwind(panic),
                    // The worker has ended, and whoever waits here with it.
                    Err(_) => pending().await,
                },
            }
        })
    }
}
