//! Runs two closures that do the same work in turns and says how many times longer one takes.

use std::time::{Duration, Instant};

/// What is known of one comparison.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) size: usize,
    /// Seconds for one call.
    pub(crate) leadcore: f64,
    pub(crate) bare: f64,
    /// What the other side is, where it is not bare SQL.
    pub(crate) note: String,
}

/// How long a comparison may go on and in what portions; a try-out runs everything once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Runner {
    pub(crate) try_out: bool,
    /// Processor time for one comparison.
    pub(crate) budget: Duration,
}

/// Processor time of this process: other programs on the machine do not count.
#[cfg(unix)]
pub(crate) fn cpu_now() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap(), u32::try_from(now.tv_nsec).unwrap())
}

/// Where processor time is not to be had, the clock on the wall.
#[cfg(not(unix))]
pub(crate) fn cpu_now() -> Duration {
    static BEGAN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed()
}

/// Processor and wall time of one run.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration, Duration) {
    let (wall, cpu) = (Instant::now(), cpu_now());
    let value = work();
    (value, cpu_now() - cpu, wall.elapsed())
}

pub(crate) fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

impl Runner {
    /// Calls both closures in turns, `n` counting up, until the budget is used; medians of the portions.
    pub(crate) fn compare<A, B>(
        self,
        name: &'static str,
        size: usize,
        mut leadcore: impl FnMut(usize) -> A,
        mut bare: impl FnMut(usize) -> B,
    ) -> Line {
        let mut leadcore = |n| drop(std::hint::black_box(leadcore(n)));
        let mut bare = |n| drop(std::hint::black_box(bare(n)));
        let (mut at, mut bare_at) = (0, 0);
        let portion = |work: &mut dyn FnMut(usize), at: &mut usize, calls: usize| {
            let ((), cpu, _) = timed(|| {
                for _ in 0..calls {
                    work(*at);
                    *at += 1;
                }
            });
            cpu.as_secs_f64() / f64::from(u32::try_from(calls).unwrap())
        };
        // Once to warm up, once to learn how many calls make a portion of about 4 ms.
        portion(&mut leadcore, &mut at, 1);
        portion(&mut bare, &mut bare_at, 1);
        let one = portion(&mut leadcore, &mut at, 1).max(1e-7);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
        let calls = if self.try_out { 1 } else { (0.004 / one).ceil().min(10_000.0) as usize };
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let began = cpu_now();
        loop {
            ours.push(portion(&mut leadcore, &mut at, calls));
            theirs.push(portion(&mut bare, &mut bare_at, calls));
            if self.try_out || (ours.len() >= 7 && cpu_now() - began > self.budget) {
                break;
            }
        }
        let line = Line { name, size, leadcore: median(ours), bare: median(theirs), note: String::new() };
        eprintln!("{}", show(&line));
        line
    }
}

fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.1} µs", s * 1e6),
        s if s < 1.0 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

fn size_name(size: usize) -> String {
    match size {
        s if s >= 1_000_000 && s % 1_000_000 == 0 => format!("{}M", s / 1_000_000),
        s if s >= 1_000 && s % 1_000 == 0 => format!("{}k", s / 1_000),
        s => s.to_string(),
    }
}

pub(crate) fn show(line: &Line) -> String {
    format!(
        "| {} | {} | {} | {} | {:.2} | {} |",
        line.name,
        size_name(line.size),
        time(line.leadcore),
        time(line.bare),
        line.leadcore / line.bare,
        line.note
    )
}

/// The table, and how each bench grows with the size.
pub(crate) fn report(lines: &[Line]) {
    println!("\n| bench | leads | leadcore | bare | ratio | |\n|---|---|---|---|---|---|");
    lines.iter().for_each(|line| println!("{}", show(line)));
    let mut names: Vec<_> = lines.iter().map(|line| line.name).collect();
    names.dedup();
    println!("\n| growth | from | to | leadcore | bare |\n|---|---|---|---|---|");
    for name in names {
        let of: Vec<_> = lines.iter().filter(|line| line.name == name).collect();
        for pair in of.windows(2) {
            println!(
                "| {name} | {} | {} | × {:.2} | × {:.2} |",
                size_name(pair[0].size),
                size_name(pair[1].size),
                pair[1].leadcore / pair[0].leadcore,
                pair[1].bare / pair[0].bare
            );
        }
    }
}
