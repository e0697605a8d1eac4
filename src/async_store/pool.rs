//! Calls on the blocking pool of the runtime that polls.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tokio::runtime::Handle;

use crate::task::reason;
use crate::{Error, Result};

/// Makes a call on the blocking pool, from the first poll on, whatever becomes of the future. The call is over, and has let go of
/// all that it had, before the answer is there.
pub(super) async fn call<T, E>(call: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let Ok(runtime) = Handle::try_current() else { return Err(Error::NoRuntime.into()) };
    match runtime.spawn_blocking(call).await {
        Ok(answer) => answer,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // Nobody aborts it but a runtime that shuts down, before it has begun.
            Err(_) => Err(Error::NoRuntime.into()),
        },
    }
}

/// Does this on the blocking pool; at once where there is no runtime, and at its end if that comes first.
pub(super) fn in_any_case(work: impl FnOnce() + Send + 'static) {
    let work = InAnyCase(Some(work));
    let Ok(runtime) = Handle::try_current() else { return };
    // What finds no thread is kept for the next one that there is.
    let _ = spawn(&runtime, move || drop(work));
}

/// Has this done on the blocking pool of a runtime, if that does not end before.
///
/// # Errors
///
/// Why the system gives it no thread, where it has none. The work is kept, and begins when another call gets one.
pub(super) fn spawn(runtime: &Handle, work: impl FnOnce() + Send + 'static) -> Result<(), String> {
    // tokio panics then.
    let spawned = catch_unwind(AssertUnwindSafe(|| drop(runtime.spawn_blocking(work))));
    spawned.map_err(|panic| reason::of_panic(&*panic))
}

/// Is done when it is dropped, by whoever does that.
struct InAnyCase<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Drop for InAnyCase<F> {
    fn drop(&mut self) {
        if let Some(work) = self.0.take() {
            work();
        }
    }
}
