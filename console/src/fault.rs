//! Where a test may end the process in the middle of an activity: `CLAVIS_CONSOLE_DIE_AT` names the point, such as
//! `do:write-copies:done`. In a build without the feature there is no such point.

use provisioning::saga::Next;

use crate::store::Activity;

#[cfg(all(feature = "fault", not(debug_assertions)))]
compile_error!("the fault injector is for tests only");

/// Where in a step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    /// Nothing of it is done.
    Before,
    /// It is done, and not written down.
    Done,
    /// It is written down.
    Written,
}

#[cfg(not(feature = "fault"))]
pub(crate) const fn reached(_: &Activity, _: Next, _: Moment) {}

#[cfg(feature = "fault")]
pub(crate) fn reached(_: &Activity, next: Next, moment: Moment) {
    let Ok(wanted) = std::env::var("CLAVIS_CONSOLE_DIE_AT") else { return };
    let named = |step| serde_json::to_value(step).ok().and_then(|name| name.as_str().map(str::to_owned));
    let (way, step) = match next {
        Next::Do(step) => ("do", named(step)),
        Next::Undo(step) => ("undo", named(step)),
        Next::Completed | Next::Undone => return,
    };
    let moment = match moment {
        Moment::Before => "before",
        Moment::Done => "done",
        Moment::Written => "written",
    };
    if wanted == format!("{way}:{}:{moment}", step.unwrap_or_default()) {
        tracing::error!("ends here, as the test wants");
        std::process::abort();
    }
}
