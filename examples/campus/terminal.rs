//! A progress bar and some colour, both only where a person looks.

use std::io::{IsTerminal, Write, stdout};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const WIDTH: usize = 32;
const REDRAW: Duration = Duration::from_millis(50);

/// Steps of the run, on stdout, each with a bar while it lasts and a line of what came of it.
pub struct Progress {
    quiet: bool,
    step: Mutex<Step>,
}

struct Step {
    label: String,
    done: u64,
    total: u64,
    began: Instant,
    drawn: Instant,
}

impl Progress {
    pub fn new(quiet: bool) -> Self {
        let now = Instant::now();
        Self {
            quiet,
            step: Mutex::new(Step { label: String::new(), done: 0, total: 1, began: now, drawn: now }),
        }
    }

    pub fn say(&self, line: &str) {
        if !self.quiet {
            self::line(&format!("  {line}"));
        }
    }

    pub fn begin(&self, label: &str, total: u64) {
        let now = Instant::now();
        let mut step = self.step();
        *step = Step { label: label.to_owned(), done: 0, total: total.max(1), began: now, drawn: now };
        self.draw(&step);
    }

    pub fn add(&self, done: u64) {
        let mut step = self.step();
        step.done += done;
        if step.drawn.elapsed() >= REDRAW {
            step.drawn = Instant::now();
            self.draw(&step);
        }
    }

    pub fn end(&self, outcome: &str) {
        let step = self.step();
        if !self.quiet {
            let clear = if stdout().is_terminal() { "\r\x1b[K" } else { "" };
            let seconds = step.began.elapsed().as_secs_f64();
            let mark = good("✓");
            line(&format!("{clear}  {mark} {:<24} {seconds:>6.2} s   {outcome}", step.label));
        }
    }

    fn draw(&self, step: &Step) {
        if !self.quiet && stdout().is_terminal() {
            let share = (step.done as f64 / step.total as f64).min(1.0);
            let full = (share * WIDTH as f64) as usize;
            let bar = format!("{}{}", "█".repeat(full), "░".repeat(WIDTH - full));
            print!("\r\x1b[K  · {:<24} {bar} {:>3.0} %", step.label, share * 100.0);
            let _ = stdout().flush();
        }
    }

    fn step(&self) -> MutexGuard<'_, Step> {
        self.step.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line on stdout. If nobody reads it any more, so be it.
pub fn line(text: &str) {
    let _ = writeln!(stdout(), "{text}");
}

const GREEN: &str = "32";
const RED: &str = "31";
const BOLD: &str = "1";
const DIM: &str = "2";

pub fn good(text: &str) -> String {
    paint(GREEN, text)
}

pub fn bad(text: &str) -> String {
    paint(RED, text)
}

pub fn bold(text: &str) -> String {
    paint(BOLD, text)
}

pub fn dim(text: &str) -> String {
    paint(DIM, text)
}

fn paint(code: &str, text: &str) -> String {
    if stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}
