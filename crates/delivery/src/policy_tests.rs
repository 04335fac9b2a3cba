//! The decision table of [`super::next`], row by row, and what holds for every row.

use bytes::Bytes;
use proptest::prelude::*;
use spaceport_platform::random::Counting;

use super::*;
use crate::outcome::{BodyEnd, ErrorKind};

const NOW: Timestamp = Timestamp::from_millis(784_111_777_000); // Sun, 06 Nov 1994 08:49:37 GMT

#[test]
fn whatever_is_decided_is_reachable_from_sending() {
    for next in [Next::Delivered, Next::RetryAt(NOW), Next::GiveUp] {
        assert!(DeliveryState::Sending.may_become(next.into()));
    }
    assert!(!DeliveryState::Waiting.may_become(DeliveryState::Delivered));
}

fn answered(status: u16, headers: &[(&str, &str)]) -> Outcome {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Outcome::Answered(Answer { status, headers, body: Bytes::new(), end: BodyEnd::Complete })
}

/// Without jitter, so that rows can name exact times.
fn exact() -> Schedule {
    Schedule { jitter: 0.0, ..Schedule::default() }
}

fn decide(kind: PayloadKind, attempt: u32, outcome: &Outcome) -> Next {
    let tried = Tried { kind, attempt, outcome, accepted_codes: &[302, 409], retries: Retries::Enabled, delays: None };
    next(&exact(), &tried, NOW, &Counting::default())
}

fn in_seconds(seconds: u64) -> Next {
    Next::RetryAt(NOW.plus(Duration::from_secs(seconds)))
}

#[test]
fn each_row_of_the_table_holds() {
    use PayloadKind::{Lifecycle, Webhook};
    let rows = [
        (Webhook, 1, answered(200, &[]), Next::Delivered),
        (Webhook, 9, answered(299, &[]), Next::Delivered),
        (Webhook, 1, answered(409, &[]), Next::Delivered),
        (Webhook, 1, answered(302, &[]), Next::Delivered),
        (Webhook, 1, answered(199, &[]), in_seconds(1)),
        (Webhook, 1, answered(301, &[]), in_seconds(1)),
        (Webhook, 1, answered(404, &[]), in_seconds(1)),
        (Webhook, 1, answered(410, &[]), Next::GiveUp),
        (Webhook, 2, answered(500, &[]), in_seconds(10)),
        (Webhook, 3, answered(500, &[]), in_seconds(60)),
        (Webhook, 4, answered(500, &[]), Next::GiveUp),
        (Webhook, 1, Outcome::failed(ErrorKind::Timeout, ""), in_seconds(1)),
        (Webhook, 1, Outcome::failed(ErrorKind::RefusedAddress, ""), in_seconds(1)),
        (Webhook, 4, Outcome::failed(ErrorKind::Dns, ""), Next::GiveUp),
        (Webhook, 1, answered(503, &[("Retry-After", "30")]), in_seconds(30)),
        (Webhook, 2, answered(429, &[("retry-after", "3")]), in_seconds(10)),
        (Webhook, 1, answered(503, &[("retry-after", "99999999999999999999999")]), in_seconds(3600)),
        (Webhook, 1, answered(503, &[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")]), in_seconds(30)),
        (Webhook, 1, answered(503, &[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")]), in_seconds(1)),
        (Webhook, 1, answered(503, &[("retry-after", "-5")]), in_seconds(1)),
        (Webhook, 1, answered(503, &[("retry-after", "soon, please, do it GMT")]), in_seconds(1)),
        (Webhook, 4, answered(503, &[("retry-after", "30")]), Next::GiveUp),
        (Lifecycle, 1, answered(204, &[]), Next::Delivered),
        (Lifecycle, 1, answered(500, &[]), in_seconds(5)),
        (Lifecycle, 2, answered(500, &[]), in_seconds(45)),
        (Lifecycle, 3, answered(500, &[]), in_seconds(400)),
        (Lifecycle, 4, answered(500, &[]), in_seconds(3600)),
        (Lifecycle, 5, answered(500, &[]), Next::GiveUp),
        (Lifecycle, 1, answered(410, &[]), Next::GiveUp),
        (Lifecycle, 1, answered(503, &[("retry-after", "30")]), in_seconds(5)),
    ];
    for (kind, attempt, outcome, expected) in rows {
        assert_eq!(decide(kind, attempt, &outcome), expected, "{kind:?} {attempt} {outcome:?}");
    }
}

#[test]
fn without_retries_the_first_failure_is_the_last() {
    let outcome = answered(500, &[]);
    let tried = Tried {
        kind: PayloadKind::Webhook,
        attempt: 1,
        outcome: &outcome,
        accepted_codes: &[],
        retries: Retries::Disabled,
        delays: None,
    };
    assert_eq!(next(&exact(), &tried, NOW, &Counting::default()), Next::GiveUp);
}

#[test]
fn an_operators_delays_are_exact_for_every_kind() {
    let schedule = Schedule::from_delays(vec![Duration::from_secs(7)]);
    let outcome = answered(500, &[]);
    for kind in [PayloadKind::Webhook, PayloadKind::Lifecycle] {
        let first =
            Tried { kind, attempt: 1, outcome: &outcome, accepted_codes: &[], retries: Retries::Enabled, delays: None };
        assert_eq!(next(&schedule, &first, NOW, &Counting::default()), in_seconds(7));
        assert_eq!(next(&schedule, &Tried { attempt: 2, ..first }, NOW, &Counting::default()), Next::GiveUp);
        assert_eq!(schedule.attempts(kind), 2);
    }
}

#[test]
fn a_targets_own_delays_are_exact_and_end_where_they_end() {
    let own = [Duration::from_secs(2), Duration::from_secs(3)];
    let outcome = answered(500, &[]);
    let of = |attempt| Tried {
        kind: PayloadKind::Webhook,
        attempt,
        outcome: &outcome,
        accepted_codes: &[],
        retries: Retries::Enabled,
        delays: Some(&own),
    };
    let decided: Vec<_> =
        (1..4).map(|attempt| next(&Schedule::default(), &of(attempt), NOW, &Counting::default())).collect();
    assert_eq!(decided, [in_seconds(2), in_seconds(3), Next::GiveUp]);
}

#[test]
fn jitter_spreads_retries_and_stays_within_a_tenth() {
    let (random, schedule) = (Counting::default(), Schedule::default());
    let delays: std::collections::BTreeSet<_> = (0..100)
        .filter_map(|_| schedule.delay_after(PayloadKind::Webhook, 3, &random))
        .inspect(|delay| assert!((60.0..66.0).contains(&delay.as_secs_f64())))
        .collect();
    assert!(delays.len() > 90);
}

proptest! {
    #[test]
    fn a_retry_is_never_earlier_than_now_and_never_beyond_the_schedule(
        attempt in 0_u32..20,
        status in 100_u16..1000,
        header in "[ -~]{0,30}",
        lifecycle: bool,
        delays in proptest::collection::vec(0_u64..1_000_000, 0..10),
        now in 0_i64..4_000_000_000_000,
    ) {
        let schedule = Schedule::from_delays(delays.into_iter().map(Duration::from_millis).collect());
        let kind = if lifecycle { PayloadKind::Lifecycle } else { PayloadKind::Webhook };
        let outcome = answered(status, &[("retry-after", &header)]);
        let now = Timestamp::from_millis(now);
        let tried = Tried { kind, attempt, outcome: &outcome, accepted_codes: &[], retries: Retries::Enabled, delays: None };
        match next(&schedule, &tried, now, &Counting::default()) {
            Next::RetryAt(at) => {
                prop_assert!(at >= now);
                prop_assert!(at <= now.plus(LONGEST_RETRY_AFTER.max(Duration::from_secs(1000))));
                prop_assert!(attempt < schedule.attempts(kind));
                prop_assert!(!(200..300).contains(&status));
            }
            Next::Delivered => prop_assert!((200..300).contains(&status)),
            Next::GiveUp => prop_assert!(!(200..300).contains(&status)),
        }
    }
}
