//! Named moments in the life of an action, at which a test can end or stop the process.
//!
//! "At most once" is a claim about what happens when the process dies between two steps, so the tests need to make it
//! die exactly there. Debug builds obey `CHROME_ENTERPRISE_OPERATOR_DEBUG_MOMENTS`, a list such as
//! `after-claim=kill,before-send=stop@2`: at the named moment (the second time, with `@2`) the process is killed like
//! by SIGKILL, or stopped like by SIGSTOP until somebody continues it. `any=kill~SEED/N` kills at every Nth moment on
//! average, as the seed draws it. `file=PATH` obeys the list in that file, which may come and change at any time and is
//! removed when a moment in it is reached: once for all processes and lives. Release builds contain nothing of this.

/// A moment before or after each wait of claim, dispatch and recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each name says which moment it is")]
pub enum Moment {
    BeforePreflight,
    AfterPreflight,
    BeforeTurn,
    AfterTurn,
    BeforeClaim,
    AfterClaim,
    BeforeRecheck,
    AfterRecheck,
    BeforeSend,
    AfterSend,
    BeforeRecord,
    AfterRecord,
    BeforeInventory,
    AfterInventory,
    BeforeAsk,
    AfterAsk,
    BeforeNews,
    AfterNews,
    BeforeRefusal,
    AfterRefusal,
    BeforeStatus,
    AfterStatus,
}

impl Moment {
    /// Every moment, in the order of an action's life.
    pub const ALL: [Self; 22] = [
        Self::BeforePreflight,
        Self::AfterPreflight,
        Self::BeforeTurn,
        Self::AfterTurn,
        Self::BeforeClaim,
        Self::AfterClaim,
        Self::BeforeRecheck,
        Self::AfterRecheck,
        Self::BeforeSend,
        Self::AfterSend,
        Self::BeforeRecord,
        Self::AfterRecord,
        Self::BeforeInventory,
        Self::AfterInventory,
        Self::BeforeAsk,
        Self::AfterAsk,
        Self::BeforeNews,
        Self::AfterNews,
        Self::BeforeRefusal,
        Self::AfterRefusal,
        Self::BeforeStatus,
        Self::AfterStatus,
    ];

    /// The name in the list of a test.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeforePreflight => "before-preflight",
            Self::AfterPreflight => "after-preflight",
            Self::BeforeTurn => "before-turn",
            Self::AfterTurn => "after-turn",
            Self::BeforeClaim => "before-claim",
            Self::AfterClaim => "after-claim",
            Self::BeforeRecheck => "before-recheck",
            Self::AfterRecheck => "after-recheck",
            Self::BeforeSend => "before-send",
            Self::AfterSend => "after-send",
            Self::BeforeRecord => "before-record",
            Self::AfterRecord => "after-record",
            Self::BeforeInventory => "before-inventory",
            Self::AfterInventory => "after-inventory",
            Self::BeforeAsk => "before-ask",
            Self::AfterAsk => "after-ask",
            Self::BeforeNews => "before-news",
            Self::AfterNews => "after-news",
            Self::BeforeRefusal => "before-refusal",
            Self::AfterRefusal => "after-refusal",
            Self::BeforeStatus => "before-status",
            Self::AfterStatus => "after-status",
        }
    }
}

/// Says that the program has come to this moment. Does nothing outside tests.
pub fn reached(moment: Moment) {
    #[cfg(debug_assertions)]
    debug::reached(moment);
    #[cfg(not(debug_assertions))]
    let _ = moment;
}

#[cfg(debug_assertions)]
mod debug {
    use std::fs;
    use std::path::PathBuf;
    use std::process::Command;
    use std::sync::{LazyLock, Mutex, PoisonError};
    use std::time::Duration;

    use super::Moment;

    /// What a test wants.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(super) enum Wish {
        /// At this moment, when it is reached for the nth time.
        At { name: String, signal: Signal, nth: u32 },
        /// At every moment with a chance of one in `of`.
        Anywhere { state: u64, of: u64 },
        /// At the moment that this file names, if it is there.
        InFile(PathBuf),
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) enum Signal {
        Kill,
        Stop,
    }

    static WISHES: LazyLock<Mutex<Vec<Wish>>> = LazyLock::new(|| {
        let text = std::env::var("CHROME_ENTERPRISE_OPERATOR_DEBUG_MOMENTS").unwrap_or_default();
        Mutex::new(parse(&text))
    });

    pub(super) fn parse(text: &str) -> Vec<Wish> {
        let wish = |item: &str| {
            let (name, what) = item.trim().split_once('=')?;
            if name == "file" {
                return Some(Wish::InFile(what.into()));
            }
            if let Some(chance) = what.strip_prefix("kill~") {
                let (seed, of) = chance.split_once('/')?;
                return Some(Wish::Anywhere {
                    state: seed.parse().ok()?,
                    of: of.parse().ok().filter(|of| *of > 0)?,
                });
            }
            let (signal, nth) = what.split_once('@').unwrap_or((what, "1"));
            let signal = match signal {
                "kill" => Signal::Kill,
                "stop" => Signal::Stop,
                _ => return None,
            };
            Some(Wish::At {
                name: name.to_owned(),
                signal,
                nth: nth.parse().ok()?,
            })
        };
        text.split(',').filter_map(wish).collect()
    }

    pub(super) fn reached(moment: Moment) {
        let signal = {
            let mut wishes = WISHES.lock().unwrap_or_else(PoisonError::into_inner);
            wishes.iter_mut().find_map(|wish| due(wish, moment))
        };
        match signal {
            None => {}
            Some(Signal::Kill) => send("KILL"),
            Some(Signal::Stop) => send("STOP"),
        }
    }

    pub(super) fn due(wish: &mut Wish, moment: Moment) -> Option<Signal> {
        match wish {
            Wish::At { name, signal, nth } if name == moment.name() => {
                *nth = nth.saturating_sub(1);
                (*nth == 0).then(|| {
                    // Once only.
                    name.clear();
                    *signal
                })
            }
            Wish::At { .. } => None,
            Wish::InFile(path) => {
                let mut wishes = parse(&fs::read_to_string(&*path).ok()?);
                let signal = wishes.iter_mut().find_map(|wish| due(wish, moment))?;
                // Of two processes only one can remove it.
                fs::remove_file(&*path).is_ok().then_some(signal)
            }
            Wish::Anywhere { state, of } => {
                // SplitMix64.
                *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                ((mixed ^ (mixed >> 31)) % *of == 0).then_some(Signal::Kill)
            }
        }
    }

    /// Sends a signal to this process. By another program, because this one has no unsafe code.
    fn send(signal: &str) {
        let own = std::process::id().to_string();
        // Where there is no `kill`, the test fails because nothing happened.
        let _ = Command::new("kill").args([&format!("-{signal}"), &own]).status();
        // SIGSTOP reaches one thread first, and the others run on until that one is scheduled: not this one.
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::debug::{Signal, Wish, due, parse};
    use super::*;

    #[test]
    fn wishes_come_true_once_at_their_moment() {
        let mut wishes = parse("after-claim=kill, before-send=stop@2,nonsense,x=y");
        assert_eq!(wishes.len(), 2);
        assert_eq!(due(&mut wishes[0], Moment::BeforeClaim), None);
        assert_eq!(due(&mut wishes[0], Moment::AfterClaim), Some(Signal::Kill));
        assert_eq!(due(&mut wishes[0], Moment::AfterClaim), None);
        assert_eq!(due(&mut wishes[1], Moment::BeforeSend), None);
        assert_eq!(due(&mut wishes[1], Moment::BeforeSend), Some(Signal::Stop));
    }

    #[test]
    fn a_file_is_obeyed_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("moment");
        let mut wish = parse(&format!("file={}", file.display())).remove(0);
        assert_eq!(due(&mut wish, Moment::AfterClaim), None, "no file");
        std::fs::write(&file, "after-claim=stop").unwrap();
        assert_eq!(due(&mut wish, Moment::BeforeClaim), None);
        assert_eq!(due(&mut wish, Moment::AfterClaim), Some(Signal::Stop));
        assert_eq!(due(&mut wish, Moment::AfterClaim), None);
        assert!(!file.exists());
    }

    #[test]
    fn chance_follows_the_seed() {
        let draw = |seed: &str| {
            let mut wish = parse(&format!("any=kill~{seed}/5")).remove(0);
            assert!(matches!(wish, Wish::Anywhere { .. }));
            (0..1000)
                .filter(|_| due(&mut wish, Moment::BeforeAsk).is_some())
                .count()
        };
        assert_eq!(draw("7"), draw("7"));
        assert!((150..250).contains(&draw("7")), "{}", draw("7"));
    }

    #[test]
    fn names_are_different() {
        let names: std::collections::BTreeSet<_> = Moment::ALL.iter().map(|moment| moment.name()).collect();
        assert_eq!(names.len(), Moment::ALL.len());
    }
}
