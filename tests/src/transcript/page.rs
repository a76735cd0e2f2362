//! A Markdown page as its parts: text, scenes, and consoles with their commands.

/// What begins a block that is executed.
const CONSOLE: &str = "```console";
/// What ends a block.
const FENCE: &str = "```";
/// What begins and ends a scene.
const SCENE: (&str, &str) = ("<!-- scene: ", " -->");

/// A page.
#[derive(Debug)]
pub struct Page {
    /// In order; together they are the whole text.
    pub parts: Vec<Part>,
}

/// A part of a page.
#[derive(Debug)]
pub enum Part {
    /// Lines that nobody executes, each with its line end.
    Text(String),
    /// Something that happens.
    Scene {
        /// Where, from 1.
        line: usize,
        /// What.
        words: String,
    },
    /// A block of commands.
    Console(Vec<Command>),
}

/// A command and what the page shows of it.
#[derive(Clone, Debug)]
pub struct Command {
    /// Where, from 1.
    pub line: usize,
    /// As it is typed, with placeholders; may have several lines.
    pub typed: String,
    /// The lines that it writes, with placeholders.
    pub shown: Vec<String>,
    /// What it ends with.
    pub code: i32,
}

impl Page {
    /// Takes a page apart.
    ///
    /// # Errors
    /// A block that does not end, output before the first command, a scene that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
        while let Some((number, line)) = lines.next() {
            if let Some(rest) = line.strip_prefix(SCENE.0) {
                let words = rest.strip_suffix(SCENE.1).ok_or(format!("line {number}: the scene does not end"))?;
                parts.push(Part::Text(std::mem::take(&mut plain)));
                parts.push(Part::Scene { line: number, words: words.to_owned() });
            } else if line == CONSOLE {
                parts.push(Part::Text(std::mem::take(&mut plain)));
                parts.push(Part::Console(commands(&mut lines, number)?));
            } else {
                plain = plain + line + "\n";
            }
        }
        parts.push(Part::Text(plain));
        Ok(Self { parts })
    }

    /// The page again.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text += plain,
                Part::Scene { words, .. } => text += &format!("{}{words}{}\n", SCENE.0, SCENE.1),
                Part::Console(commands) => {
                    text += &format!("{CONSOLE}\n");
                    for command in commands {
                        text += &format!("$ {}\n", command.typed.replace('\n', "\n> "));
                        for line in &command.shown {
                            text += &format!("{line}\n");
                        }
                        if command.code != 0 {
                            text += &format!("[exit {}]\n", command.code);
                        }
                    }
                    text += &format!("{FENCE}\n");
                }
            }
        }
        text
    }

    /// The commands.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.parts
            .iter()
            .filter_map(|part| if let Part::Console(commands) = part { Some(commands) } else { None })
            .flatten()
    }

    /// Command lines of these programs that stand outside the consoles, and of which no command that is executed has all
    /// words in their order: in other blocks, and in code within sentences.
    #[must_use]
    pub fn unplayed(&self, programs: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        let mut prose = String::new();
        for part in &self.parts {
            let Part::Text(text) = part else { continue };
            let mut fenced = false;
            for line in text.lines() {
                if line.starts_with(FENCE) {
                    fenced = !fenced;
                } else if fenced {
                    found.push(line.trim_start_matches("$ ").to_owned());
                } else {
                    prose = prose + line + " ";
                }
            }
            prose.push(' ');
        }
        found.extend(prose.split('`').skip(1).step_by(2).map(str::to_owned));
        let is_command = |line: &String| {
            let mut words = line.split_whitespace();
            words.next().is_some_and(|first| programs.contains(&first)) && words.next().is_some()
        };
        let is_played = |line: &String| self.commands().any(|command| has_words(&command.typed, line));
        found.retain(|line| is_command(line) && !is_played(line));
        found
    }
}

/// Whether `typed` has the words of `said`, in their order.
fn has_words(typed: &str, said: &str) -> bool {
    let mut words = typed.split_whitespace();
    said.split_whitespace().all(|word| words.any(|one| one == word))
}

fn commands<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>, begin: usize) -> Result<Vec<Command>, String> {
    let mut commands: Vec<Command> = Vec::new();
    for (number, line) in lines {
        if line == FENCE {
            return Ok(commands);
        }
        if let Some(typed) = line.strip_prefix("$ ") {
            commands.push(Command { line: number, typed: typed.to_owned(), shown: Vec::new(), code: 0 });
            continue;
        }
        let command = commands.last_mut().ok_or(format!("line {number}: output of no command"))?;
        let code = line.strip_prefix("[exit ").and_then(|rest| rest.strip_suffix(']'));
        if let Some(more) = line.strip_prefix("> ").filter(|_| command.shown.is_empty()) {
            command.typed = format!("{}\n{more}", command.typed);
        } else if let Some(code) = code {
            command.code = code.parse().map_err(|_| format!("line {number}: no exit code"))?;
        } else {
            command.shown.push(line.to_owned());
        }
    }
    Err(format!("line {begin}: the console does not end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Title\n\n```console\n$ cat > file <<END\n> one\n> END\n$ ls file nowhere\nfile\n[exit 2]\n```\n\n\
                        <!-- scene: rain on monday -->\nText with `kms do it` and `other`.\n\n```toml\na = 1\n```\n";

    #[test]
    fn is_the_sum_of_its_parts() {
        let page = Page::parse(PAGE).unwrap();
        assert_eq!(page.text(), PAGE);
        let commands: Vec<_> = page.commands().collect();
        assert_eq!(commands[0].typed, "cat > file <<END\none\nEND");
        assert_eq!((commands[1].line, &commands[1].shown[..], commands[1].code), (7, &["file".to_owned()][..], 2));
    }

    #[test]
    fn names_commands_that_are_not_executed() {
        assert_eq!(Page::parse(PAGE).unwrap().unplayed(&["kms"]), ["kms do it"]);
        let played = "`kms do it`, `kms`\n```console\n$ kms --fast do it now\n```\n";
        assert!(Page::parse(played).unwrap().unplayed(&["kms"]).is_empty());
        let in_block = "```sh\n$ kms do it\n```\n";
        assert_eq!(Page::parse(in_block).unwrap().unplayed(&["kms"]), ["kms do it"]);
    }

    #[test]
    fn refuses_what_has_no_end_or_no_beginning() {
        for text in
            ["```console\n$ a\n", "```console\nout\n```\n", "<!-- scene: a\n", "```console\n$ a\n[exit x]\n```\n"]
        {
            assert!(Page::parse(text).is_err(), "{text}");
        }
    }
}
