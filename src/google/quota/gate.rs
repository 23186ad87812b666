//! Who may make a call now: a bounded number at a time, the more urgent first, and no lane more than its share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::Lane;

/// Lets a bounded number of calls through. Waiting calls go by lane, then by age, then by arrival.
#[derive(Debug)]
pub(super) struct Gate {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// How many may pass at once, all lanes together.
    width: usize,
    /// How many of each lane may pass at once.
    shares: Shares,
    /// How many have passed and not come back.
    inside: Shares,
    waiting: BTreeMap<Place, Waiting>,
    arrivals: u64,
}

#[derive(Debug)]
struct Waiting {
    lane: Lane,
    passage: oneshot::Sender<Pass>,
}

/// A place in the queue; the least goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    rank: u8,
    /// When the wish arose, in nanoseconds since 1970: a retry does not go to the end of the queue.
    since: i128,
    arrival: u64,
}

/// A number for each lane.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shares {
    pub(super) urgent: usize,
    pub(super) interactive: usize,
    pub(super) follow: usize,
    pub(super) sync: usize,
}

impl Shares {
    const fn of(&self, lane: Lane) -> usize {
        match lane {
            Lane::Urgent => self.urgent,
            Lane::Interactive => self.interactive,
            Lane::Follow => self.follow,
            Lane::Sync => self.sync,
        }
    }

    const fn of_mut(&mut self, lane: Lane) -> &mut usize {
        match lane {
            Lane::Urgent => &mut self.urgent,
            Lane::Interactive => &mut self.interactive,
            Lane::Follow => &mut self.follow,
            Lane::Sync => &mut self.sync,
        }
    }

    const fn sum(&self) -> usize {
        self.urgent + self.interactive + self.follow + self.sync
    }
}

/// The right to be inside. Dropping it lets the next one in.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Option<Arc<Gate>>,
    lane: Lane,
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(gate) = self.gate.take() {
            gate.leave(self.lane);
        }
    }
}

impl Gate {
    /// A gate of this width; every lane gets at least one place.
    pub(super) fn new(width: usize, shares: Shares) -> Arc<Self> {
        let atleast = |share: usize| share.clamp(1, width.max(1));
        Arc::new(Self {
            state: Mutex::new(State {
                width: width.max(1),
                shares: Shares {
                    urgent: atleast(shares.urgent),
                    interactive: atleast(shares.interactive),
                    follow: atleast(shares.follow),
                    sync: atleast(shares.sync),
                },
                inside: Shares::default(),
                waiting: BTreeMap::new(),
                arrivals: 0,
            }),
        })
    }

    /// Waits for the right to be inside. Giving up the wait at any moment loses nothing.
    ///
    /// `since` is when the wish arose, in nanoseconds since 1970.
    pub(super) async fn enter(self: &Arc<Self>, lane: Lane, since: i128) -> Pass {
        let (passage, admitted) = oneshot::channel();
        {
            let mut state = self.lock();
            state.arrivals += 1;
            let place = Place {
                rank: lane.rank(),
                since,
                arrival: state.arrivals,
            };
            state.waiting.insert(place, Waiting { lane, passage });
            self.admit(&mut state);
        }
        // The sender is kept until it has sent, so this cannot fail; were it to, the call goes uncounted.
        admitted.await.unwrap_or(Pass { gate: None, lane })
    }

    fn leave(self: &Arc<Self>, lane: Lane) {
        let mut state = self.lock();
        let inside = state.inside.of_mut(lane);
        *inside = inside.saturating_sub(1);
        self.admit(&mut state);
    }

    fn admit(self: &Arc<Self>, state: &mut State) {
        while state.inside.sum() < state.width {
            let has_room = |lane: Lane| state.inside.of(lane) < state.shares.of(lane);
            let next = state.waiting.iter().find(|(_, waiting)| has_room(waiting.lane));
            let Some(place) = next.map(|(place, _)| *place) else {
                return;
            };
            let Some(Waiting { lane, passage }) = state.waiting.remove(&place) else {
                return;
            };
            let pass = Pass {
                gate: Some(Arc::clone(self)),
                lane,
            };
            match passage.send(pass) {
                Ok(()) => *state.inside.of_mut(lane) += 1,
                // Whoever waited has given up. The pass must not come back to us: the state is locked.
                Err(mut unused) => unused.gate = None,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change leaves the state whole at each step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_millis(30);

    fn shares(urgent: usize, interactive: usize, follow: usize, sync: usize) -> Shares {
        Shares {
            urgent,
            interactive,
            follow,
            sync,
        }
    }

    #[tokio::test]
    async fn no_lane_takes_more_than_its_share() {
        let gate = Gate::new(3, shares(3, 3, 1, 2));
        let first = gate.enter(Lane::Sync, 0).await;
        let _second = gate.enter(Lane::Sync, 0).await;
        assert!(timeout(SOON, gate.enter(Lane::Sync, 0)).await.is_err());
        let _urgent = gate.enter(Lane::Urgent, 0).await;
        assert!(
            timeout(SOON, gate.enter(Lane::Urgent, 0)).await.is_err(),
            "three are inside"
        );
        drop(first);
        assert!(timeout(SOON, gate.enter(Lane::Sync, 0)).await.is_ok());
    }

    #[tokio::test]
    async fn the_more_urgent_and_then_the_older_goes_first() {
        let gate = Gate::new(1, shares(1, 1, 1, 1));
        let inside = gate.enter(Lane::Sync, 0).await;
        let (said, mut heard) = tokio::sync::mpsc::unbounded_channel();
        for (lane, since, name) in [
            (Lane::Sync, 0, "sync"),
            (Lane::Interactive, 9, "young"),
            (Lane::Interactive, 5, "old"),
            (Lane::Interactive, 9, "young, later"),
            (Lane::Urgent, 99, "urgent"),
        ] {
            let (gate, said) = (gate.clone(), said.clone());
            tokio::spawn(async move {
                let _pass = gate.enter(lane, since).await;
                said.send(name).unwrap();
            });
            tokio::task::yield_now().await;
        }
        drop((inside, said));
        let mut order = Vec::new();
        while let Some(name) = heard.recv().await {
            order.push(name);
        }
        assert_eq!(order, ["urgent", "old", "young", "young, later", "sync"]);
    }

    #[tokio::test]
    async fn whoever_gives_up_does_not_hold_the_next() {
        let gate = Gate::new(1, shares(1, 1, 1, 1));
        let inside = gate.enter(Lane::Urgent, 0).await;
        for _ in 0..3 {
            assert!(timeout(SOON, gate.enter(Lane::Urgent, 0)).await.is_err());
        }
        drop(inside);
        for _ in 0..3 {
            assert!(timeout(SOON, gate.enter(Lane::Sync, 0)).await.is_ok());
        }
        let state = gate.lock();
        assert_eq!((state.inside.sum(), state.waiting.len()), (0, 0));
    }
}
