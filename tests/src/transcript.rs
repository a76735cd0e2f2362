//! Pages whose commands are executed: each `console` block of a Markdown file is typed into a shell, and what comes out
//! is held against what the page shows.
//!
//! ````text
//! ```console
//! $ kmsctl domain show acme
//! name     acme
//! id       <acme-id>
//! created  <time>
//! [exit 1]
//! ```
//! ````
//!
//! A line that begins with `> ` belongs to the command before it. `<acme-id>` is whatever stands there when it is seen
//! first, and the same from then on, in commands too. A line `...` stands for any lines. How wide columns are is not
//! compared. Without a last line `[exit N]` a command has to end with 0. What happens to the operator, and is nothing
//! that he types, is a *scene*: `<!-- scene: WORDS -->`, played by whoever runs the page.

pub mod matching;
pub mod page;
pub mod shell;

use std::path::Path;

use crate::node::Result;
pub use matching::Values;
pub use page::{Command, Page, Part};
pub use shell::{Ended, Shell};

/// Plays a scene by its words.
pub type Scene<'a> = dyn FnMut(&[&str], &mut Values, &mut Shell) -> Result<()> + 'a;

/// A command of the page with what it really did.
#[derive(Debug)]
pub struct Played {
    /// As the page has it.
    pub command: Command,
    /// What it did.
    pub ended: Ended,
    /// What the placeholders stood for when it was typed.
    pub values: Values,
}

/// Plays a page from its first line to its last. With `update`, what differs is taken over into the page instead of
/// being refused, and the page is written to `write_to`, also where a later command cannot be played.
///
/// # Errors
/// The command, its line, what was to come and what came.
pub fn play(
    page: &mut Page,
    values: &mut Values,
    shell: &mut Shell,
    scene: &mut Scene<'_>,
    update: Option<&Path>,
) -> Result<Vec<Played>> {
    let mut played = Vec::new();
    let outcome = play_parts(page, values, shell, scene, update.is_some(), &mut played);
    if let Some(path) = update {
        std::fs::write(path, page.text())?;
    }
    outcome.map(|()| played)
}

fn play_parts(
    page: &mut Page,
    values: &mut Values,
    shell: &mut Shell,
    scene: &mut Scene<'_>,
    update: bool,
    played: &mut Vec<Played>,
) -> Result<()> {
    for part in &mut page.parts {
        match part {
            Part::Text(_) => {}
            Part::Scene { line, words } => {
                let words: Vec<&str> = words.split_whitespace().collect();
                scene(&words, values, shell).map_err(|error| format!("line {line}, scene {words:?}: {error}"))?;
            }
            Part::Console(commands) => {
                for command in commands {
                    let typed = values.fill(&command.typed)?;
                    let ended = shell.run(&typed).map_err(|error| format!("line {}: {error}", command.line))?;
                    let before = values.clone();
                    if let Err(difference) = matching::hold(command, &ended, values) {
                        if !update {
                            return Err(format!("line {}: $ {typed}\n{difference}", command.line).into());
                        }
                        *values = before.clone();
                        command.shown = values.shown(&command.shown, &ended.lines);
                        command.code = ended.code;
                    }
                    played.push(Played { command: command.clone(), ended, values: before });
                }
            }
        }
    }
    Ok(())
}
