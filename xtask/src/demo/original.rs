//! A disk as it was before anything was encrypted, and what the host reads back held against it.

use std::path::PathBuf;

use serde_json::json;

use super::disks::{self, Files};
use super::encryption::VM;
use super::story::{Failure, Story};
use super::world::World;

/// The clear disk of [`VM`] and what is in it.
pub struct Original {
    /// A copy of the image.
    pub image: PathBuf,
    /// Its files.
    pub files: Files,
}

impl Original {
    /// Has the host decrypt the disk into a new file, which has to be this one. `moment` names the file.
    pub fn is_read_back(&self, story: &mut Story, world: &World, moment: &str) -> Result<(), Failure> {
        story.step("reading the disk back through the host …");
        let copy = world.path(&format!("disks/web.{moment}.img"));
        world.host_post(&format!("/vms/{VM}/disks/0/decrypted-copy"), &json!({ "path": copy }))?;
        story.claim(
            "what the host reads back equals the clear disk byte for byte",
            disks::hash(&copy)? == disks::hash(&self.image)?,
        )?;
        story.claim("e2fsck finds its file system clean", disks::is_clean(&copy)?)?;
        let found = disks::files_in(&copy, &world.path(&format!("tree.{moment}")))?;
        story.claim(
            format!("all {} files in it have the hashes they had", self.files.len()),
            found == self.files && !self.files.is_empty(),
        )
    }
}
