//! `make demo`: the main job end to end, with real processes, and every claim checked before it is printed as true.

mod audit;
mod disks;
mod encryption;
mod host;
mod outage;
mod refusals;
mod story;
mod tenant;
mod trust;
mod world;

use story::Story;
use world::World;

/// Plays the whole story.
pub fn run() -> Result<String, String> {
    let mut story = Story::default();
    play(&mut story).map_err(|failure| format!("\nThe demo failed: {failure}"))?;
    Ok(format!("\nAll {} claims were checked and hold.", story.claims()))
}

fn play(story: &mut Story) -> Result<(), story::Failure> {
    let mut world = World::prepare(story)?;
    trust::show(story, &world)?;
    world.open(story)?;
    encryption::show(story, &mut world)?;
    refusals::show(story, &world)?;
    host::show(story, &mut world)?;
    outage::show(story, &mut world)?;
    audit::show(story, &world)?;
    world.close()
}
