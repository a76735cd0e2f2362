//! `make demo`: the main job end to end, with real processes, and every claim checked before it is printed as true.

mod audit;
mod departure;
mod disks;
mod encryption;
mod host;
mod original;
mod outage;
mod provision;
mod refusals;
mod rollback;
mod story;
mod tenant;
mod trust;
mod world;

use rustix::process::Signal;
use story::Story;
use world::World;
use xtask::stage::children;

/// Plays the whole story.
pub fn run() -> Result<String, String> {
    // Nothing of a demo is worth an orderly end.
    children::guard(Signal::KILL).map_err(|error| error.to_string())?;
    let mut story = Story::default();
    play(&mut story).map_err(|failure| {
        if children::interrupted() {
            "\nInterrupted. Nothing of the demo is left.".to_owned()
        } else {
            format!("\nThe demo failed: {failure}")
        }
    })?;
    Ok(format!("\nAll {} claims were checked and hold.", story.claims()))
}

fn play(story: &mut Story) -> Result<(), story::Failure> {
    let mut world = World::prepare(story)?;
    trust::show(story, &world)?;
    world.open(story)?;
    let original = encryption::show(story, &mut world)?;
    refusals::show(story, &world, &original)?;
    host::show(story, &mut world, &original)?;
    outage::show(story, &mut world, &original)?;
    audit::show(story, &world)?;
    departure::show(story, &world)?;
    rollback::show(story, &mut world)?;
    world.close()
}
