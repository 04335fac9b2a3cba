//! Who may send how much next: one lane for each application, taken in turn. Pure.

use std::collections::{HashMap, VecDeque};

use spaceport_platform::id::ApplicationId;

use crate::outbox::Want;

#[derive(Default)]
struct Lane {
    in_flight: usize,
    /// May have something claimable.
    ready: bool,
    /// Stands in the queue. It may have lost its readiness meanwhile; then its turn is passed over.
    queued: bool,
}

/// All lanes that have something under way or may have something to send.
pub(super) struct Lanes {
    lanes: HashMap<ApplicationId, Lane>,
    queue: VecDeque<ApplicationId>,
    in_flight: usize,
    most: usize,
    most_per_lane: usize,
}

impl Lanes {
    pub(super) fn new(most: usize, most_per_lane: usize) -> Self {
        Self {
            lanes: HashMap::new(),
            queue: VecDeque::new(),
            in_flight: 0,
            most: most.max(1),
            most_per_lane: most_per_lane.max(1),
        }
    }

    pub(super) const fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The application may have something claimable.
    pub(super) fn ready(&mut self, application: ApplicationId) {
        let lane = self.lanes.entry(application.clone()).or_default();
        lane.ready = true;
        if !lane.queued {
            lane.queued = true;
            self.queue.push_back(application);
        }
    }

    /// The application has nothing claimable at present.
    pub(super) fn drained(&mut self, application: &ApplicationId) {
        if let Some(lane) = self.lanes.get_mut(application) {
            lane.ready = false;
        }
    }

    pub(super) fn started(&mut self, application: ApplicationId) {
        self.in_flight += 1;
        self.lanes.entry(application).or_default().in_flight += 1;
    }

    pub(super) fn ended(&mut self, application: &ApplicationId) {
        let Some(lane) = self.lanes.get_mut(application) else { return };
        self.in_flight = self.in_flight.saturating_sub(1);
        lane.in_flight = lane.in_flight.saturating_sub(1);
        if lane.in_flight == 0 && !lane.ready && !lane.queued {
            self.lanes.remove(application);
        }
    }

    /// What to claim next: up to `budget` deliveries of up to `most_lanes` applications, shared evenly, in turn.
    pub(super) fn plan(&mut self, budget: usize, most_lanes: usize) -> Vec<Want> {
        let free = self.most.saturating_sub(self.in_flight);
        let budget = budget.min(free);
        let mut chosen: Vec<Chosen> = Vec::new();
        for _ in 0..self.queue.len() {
            if chosen.len() >= budget.min(most_lanes) {
                break;
            }
            let Some(application) = self.queue.pop_front() else { break };
            let Some(lane) = self.lanes.get_mut(&application) else { continue };
            if !lane.ready {
                lane.queued = false;
                if lane.in_flight == 0 {
                    self.lanes.remove(&application);
                }
                continue;
            }
            let left = self.most_per_lane.saturating_sub(lane.in_flight);
            let capacity = left.min(fair(lane.in_flight, free));
            if capacity > 0 {
                let want = Want { application: application.clone(), capacity, except: Vec::new() };
                chosen.push(Chosen { want, in_flight: lane.in_flight });
            }
            self.queue.push_back(application);
        }
        share(&mut chosen, budget, free);
        chosen.into_iter().map(|chosen| chosen.want).filter(|want| want.capacity > 0).collect()
    }
}

struct Chosen {
    want: Want,
    in_flight: usize,
}

/// How many more a lane may start: it never holds more than it leaves free, but each may have one.
///
/// So however many endpoints hang, their lanes stop growing before the last slot is gone, and an
/// application that starts afresh finds room.
fn fair(in_flight: usize, free: usize) -> usize {
    let first = if in_flight == 0 { 1 } else { 0 };
    (free.saturating_sub(in_flight) / 2).max(first).min(free)
}

/// Cuts the capacities so that together they keep within `budget`, and each is [`fair`] after those
/// before it: the small ones as they are, the large ones alike.
fn share(chosen: &mut [Chosen], budget: usize, free: usize) {
    let mut given = 0;
    let mut others = chosen.len();
    let mut by_size: Vec<&mut Chosen> = chosen.iter_mut().collect();
    by_size.sort_by_key(|chosen| chosen.want.capacity);
    for Chosen { want, in_flight } in by_size {
        let share = budget.saturating_sub(given) / others.max(1);
        want.capacity = want.capacity.min(share).min(fair(*in_flight, free.saturating_sub(given)));
        given += want.capacity;
        others -= 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(number: usize) -> ApplicationId {
        ApplicationId::new(format!("a{number}"))
    }

    fn capacities(wants: &[Want]) -> Vec<(&str, usize)> {
        wants.iter().map(|want| (want.application.as_str(), want.capacity)).collect()
    }

    #[test]
    fn lanes_share_a_small_budget_and_take_turns() {
        let mut lanes = Lanes::new(512, 64);
        (0..3).for_each(|number| lanes.ready(id(number)));
        assert_eq!(capacities(&lanes.plan(8, 2)), [("a0", 4), ("a1", 4)]);
        assert_eq!(capacities(&lanes.plan(8, 2)), [("a2", 4), ("a0", 4)]);
    }

    #[test]
    fn what_one_lane_cannot_use_goes_to_the_others() {
        let mut lanes = Lanes::new(512, 64);
        lanes.ready(id(0));
        lanes.ready(id(1));
        (0..60).for_each(|_| lanes.started(id(0)));
        assert_eq!(capacities(&lanes.plan(50, 8)), [("a0", 4), ("a1", 46)]);
    }

    #[test]
    fn a_drained_lane_is_passed_over_until_it_is_ready_again() {
        let mut lanes = Lanes::new(512, 64);
        lanes.ready(id(0));
        lanes.drained(&id(0));
        assert!(lanes.plan(256, 64).is_empty());
        assert!(lanes.lanes.is_empty());
        lanes.ready(id(0));
        lanes.ready(id(0));
        assert_eq!(capacities(&lanes.plan(256, 64)), [("a0", 64)]);
    }

    #[test]
    fn however_many_lanes_hang_a_new_one_finds_room() {
        for hanging in [1, 8, 20, 100] {
            let mut lanes = Lanes::new(512, 64);
            (0..hanging).for_each(|number| lanes.ready(id(number)));
            loop {
                let wants = lanes.plan(256, 64);
                if wants.is_empty() {
                    break;
                }
                for want in wants {
                    (0..want.capacity).for_each(|_| lanes.started(want.application.clone()));
                }
            }
            lanes.ready(id(1000));
            let wants = lanes.plan(256, 64);
            assert!(wants.iter().any(|want| want.application == id(1000)), "{hanging} lanes hang");
        }
    }

    proptest! {
        #[test]
        fn no_limit_is_ever_exceeded(steps in proptest::collection::vec((0_usize..6, 0_u8..4), 1..200), most in 1_usize..40, per_lane in 1_usize..20) {
            let mut lanes = Lanes::new(most, per_lane);
            let mut held: HashMap<usize, usize> = HashMap::new();
            for (number, step) in steps {
                match step {
                    0 => lanes.ready(id(number)),
                    1 => lanes.drained(&id(number)),
                    2 => if held.get(&number).is_some_and(|count| *count > 0) {
                        lanes.ended(&id(number));
                        *held.entry(number).or_default() -= 1;
                    },
                    _ => for want in lanes.plan(16, 3) {
                        let number: usize = want.application.as_str()[1..].parse().unwrap();
                        prop_assert!(want.capacity > 0);
                        (0..want.capacity).for_each(|_| lanes.started(want.application.clone()));
                        *held.entry(number).or_default() += want.capacity;
                    },
                }
                prop_assert!(held.values().all(|count| *count <= per_lane));
                prop_assert_eq!(held.values().sum::<usize>(), lanes.in_flight());
                prop_assert!(lanes.in_flight() <= most);
            }
        }
    }
}
