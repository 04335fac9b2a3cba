//! The engine when all is well: order, limits, fairness, time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use spaceport_delivery::outbox::{Authentication, Retries};
use spaceport_delivery::policy::Schedule;
use spaceport_delivery::sign::{self, RsaSigner};
use spaceport_delivery::{Outcome, PayloadKind, Settings, Target};
use spaceport_platform::delivery::DeliveryState;
use spaceport_platform::id::{ApplicationId, DeliveryId};
use spaceport_platform::secret::Secret;
use spaceport_platform::time::Timestamp;
use tokio::time::{Instant, timeout};

use crate::memory::{Memory, START, Told, answered, application, delivery_of, start, target};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn a_delivery_is_sent_once_and_recorded_with_what_was_sent() {
    let outbox = Memory::new();
    outbox.put_for("a", 1, target(Authentication::Bearer(Secret::new("hush"))), PayloadKind::Webhook);
    let engine = start(&outbox, Told::answer(204), Settings::default());
    outbox.until_all(DeliveryState::Delivered).await;
    outbox.look(|inside| {
        let recorded = &inside.row("a-0000").recorded;
        assert_eq!(recorded.len(), 1);
        assert_eq!((recorded[0].attempt, recorded[0].started_at), (1, START));
        assert_eq!(recorded[0].url, "https://example.com/hook");
        assert!(recorded[0].request_headers.contains(&("authorization".into(), "***".into())));
    });
    let progress = engine.progress();
    assert_eq!((progress.delivered, progress.failed_attempts, progress.unrecorded), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_week_of_retries_keeps_its_times() {
    let outbox = Memory::new();
    outbox.put("a", 1);
    let settings = Settings { schedule: Schedule::from_delays(vec![24 * HOUR; 7]), poll: HOUR, ..Settings::default() };
    let engine = start(&outbox, Told::answer(500), settings);
    outbox.until_all(DeliveryState::GivenUp).await;
    outbox.look(|inside| {
        let recorded = &inside.row("a-0000").recorded;
        assert_eq!(recorded.len(), 8);
        for (day, attempt) in (0_u32..).zip(recorded) {
            let late = attempt.started_at.since(START.plus(24 * HOUR * day));
            assert!(late <= Duration::from_millis(100), "{late:?} late on day {day}");
            assert!(attempt.started_at >= START.plus(24 * HOUR * day));
        }
    });
    assert_eq!((engine.progress().failed_attempts, engine.progress().given_up), (8, 1));
}

#[tokio::test(start_paused = true)]
async fn a_retry_starts_on_time_without_waiting_for_a_poll() {
    let outbox = Memory::new();
    outbox.put("a", 1);
    let schedule = Schedule::from_delays(vec![Duration::ZERO, Duration::from_millis(1234)]);
    let settings = Settings { schedule, poll: HOUR, ..Settings::default() };
    let _engine = start(&outbox, Told::answer(500), settings);
    outbox.until_all(DeliveryState::GivenUp).await;
    outbox.look(|inside| {
        let starts: Vec<_> = inside.row("a-0000").recorded.iter().map(|row| row.started_at.since(START)).collect();
        assert!(starts[1] < Duration::from_millis(15), "{starts:?}");
        let second = starts[2] - starts[1];
        assert!(second >= Duration::from_millis(1234) && second < Duration::from_millis(1250), "{starts:?}");
    });
}

#[tokio::test(start_paused = true)]
async fn an_application_that_never_answers_delays_nobody_else() {
    let outbox = Memory::new();
    outbox.put("hanging", 1000);
    let engine = start(&outbox, hanging_for("hanging"), Settings::default());
    outbox.until(|inside| inside.count(DeliveryState::Sending) == 64).await;
    outbox.put("quick", 100);
    let asked = Instant::now();
    engine.wake(application("quick"));
    outbox.until(|inside| inside.count(DeliveryState::Delivered) == 100).await;
    assert_eq!(asked.elapsed(), Duration::ZERO);
    assert_eq!(engine.progress().in_flight, 64);
}

#[tokio::test(start_paused = true)]
async fn many_applications_that_never_answer_leave_room_for_another() {
    let outbox = Memory::new();
    (0..20).for_each(|number| outbox.put(&format!("hanging{number}"), 1000));
    let engine = start(&outbox, hanging_for("hanging"), Settings::default());
    outbox.until(|inside| inside.count(DeliveryState::Sending) > 400).await;
    outbox.put("quick", 100);
    let asked = Instant::now();
    engine.wake(application("quick"));
    outbox.until(|inside| inside.count(DeliveryState::Delivered) == 100).await;
    assert_eq!(asked.elapsed(), Duration::ZERO);
}

/// Never answers the applications whose name begins so, and the others at once.
fn hanging_for(prefix: &'static str) -> Arc<Told> {
    Told::to(move |request| async move {
        if delivery_of(&request).starts_with(prefix) {
            std::future::pending::<()>().await;
        }
        answered(200)
    })
}

#[tokio::test(start_paused = true)]
async fn no_more_are_under_way_than_the_limits_say() {
    let outbox = Memory::new();
    ["a", "b", "c", "d", "e"].into_iter().for_each(|name| outbox.put(name, 200));
    let seen: Arc<Mutex<UnderWay>> = Arc::default();
    let under_way = Arc::clone(&seen);
    let sender = Told::to(move |request| {
        let under_way = Arc::clone(&under_way);
        let application = delivery_of(&request).split('-').next().unwrap().to_owned();
        async move {
            under_way.lock().unwrap().change(&application, 1);
            timeout(Duration::from_millis(5), std::future::pending::<()>()).await.unwrap_err();
            under_way.lock().unwrap().change(&application, -1);
            answered(200)
        }
    });
    let settings = Settings { in_flight: 40, in_flight_per_application: 9, ..Settings::default() };
    let _engine = start(&outbox, sender, settings);
    outbox.until_all(DeliveryState::Delivered).await;
    let UnderWay { most, most_of_one, .. } = &*seen.lock().unwrap();
    assert!(*most_of_one <= 9 && *most <= 40, "{most_of_one} of {most}");
    assert!(*most >= 30, "only {most} at the same time");
}

/// Counts what is sent at the same time.
#[derive(Default)]
struct UnderWay {
    now: HashMap<String, usize>,
    most: usize,
    most_of_one: usize,
}

impl UnderWay {
    fn change(&mut self, application: &str, by: isize) {
        let count = self.now.entry(application.to_owned()).or_default();
        *count = count.checked_add_signed(by).unwrap();
        self.most_of_one = self.most_of_one.max(*count);
        self.most = self.most.max(self.now.values().sum());
    }
}

#[tokio::test(start_paused = true)]
async fn thousands_of_wakes_are_one_claim() {
    let outbox = Memory::new();
    let settings = Settings { poll: HOUR, ..Settings::default() };
    let engine = start(&outbox, Told::answer(200), settings);
    outbox.until(|inside| inside.looks == 1).await;
    outbox.put("a", 3);
    (0..10_000).for_each(|_| engine.wake(application("a")));
    outbox.until_all(DeliveryState::Delivered).await;
    assert_eq!(outbox.look(|inside| inside.claims), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_wake_costs_a_second() {
    let outbox = Memory::new();
    let _engine = start(&outbox, Told::answer(200), Settings::default());
    outbox.until(|inside| inside.looks == 1).await;
    outbox.put("a", 1);
    let put = Instant::now();
    outbox.until_all(DeliveryState::Delivered).await;
    assert!(put.elapsed() <= Duration::from_millis(1001), "{:?}", put.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_delivery_due_later_is_met_although_nobody_wakes() {
    let outbox = Memory::new();
    outbox.put("a", 1);
    outbox.look(|inside| {
        inside.rows.get_mut(&DeliveryId::new("a-0000")).unwrap().due = START.plus(Duration::from_millis(500))
    });
    let _engine = start(&outbox, Told::answer(200), Settings::default());
    outbox.until_all(DeliveryState::Delivered).await;
    let started = outbox.look(|inside| inside.row("a-0000").recorded[0].started_at.since(START));
    assert!(started <= Duration::from_millis(510), "{started:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_dead_engine_had_leased_is_sent_when_the_lease_ends() {
    let outbox = Memory::new();
    outbox.put("a", 1);
    outbox.look(|inside| {
        let row = inside.rows.get_mut(&DeliveryId::new("a-0000")).unwrap();
        (row.state, row.attempt, row.lease_until) = (DeliveryState::Sending, 1, START.plus(Duration::from_secs(60)));
    });
    let _engine = start(&outbox, Told::answer(200), Settings::default());
    outbox.until_all(DeliveryState::Delivered).await;
    outbox.look(|inside| {
        let recorded = &inside.row("a-0000").recorded;
        assert_eq!((recorded.len(), recorded[0].attempt), (1, 2));
        let waited = recorded[0].started_at.since(START);
        assert!(waited >= Duration::from_secs(60) && waited <= Duration::from_secs(62), "{waited:?}");
    });
}

#[tokio::test(start_paused = true)]
async fn lifecycle_payloads_follow_each_other_without_a_pause() {
    let outbox = Memory::new();
    outbox.put_for("a", 5, target(Authentication::None), PayloadKind::Lifecycle);
    let settings = Settings { poll: HOUR, ..Settings::default() };
    let order: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&order);
    let sender = Told::to(move |request| {
        seen.lock().unwrap().push(delivery_of(&request));
        async { answered(200) }
    });
    let _engine = start(&outbox, sender, settings);
    let began = Instant::now();
    outbox.until_all(DeliveryState::Delivered).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(*order.lock().unwrap(), ["a-0000", "a-0001", "a-0002", "a-0003", "a-0004"]);
}

#[tokio::test(start_paused = true)]
async fn without_retries_one_failure_ends_it_and_an_accepted_code_is_a_success() {
    let outbox = Memory::new();
    let once = Target { retries: Retries::Disabled, accepted_codes: vec![418], ..target(Authentication::None) };
    outbox.put_for("a", 2, once, PayloadKind::Webhook);
    let sender = Told::to(|request| async move { answered(if delivery_of(&request) == "a-0000" { 418 } else { 500 }) });
    let _engine = start(&outbox, sender, Settings::default());
    outbox.until(|inside| inside.count(DeliveryState::Delivered) + inside.count(DeliveryState::GivenUp) == 2).await;
    outbox.look(|inside| {
        assert_eq!(inside.row("a-0000").state, DeliveryState::Delivered);
        assert_eq!(inside.row("a-0001").recorded.len(), 1);
    });
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_signed_anew_with_its_own_time() {
    let outbox = Memory::new();
    let signer = Arc::new(RsaSigner::from_pkcs8(&sign::generate_rsa_2048().unwrap()).unwrap());
    outbox.put_for("a", 1, target(Authentication::PublicKey(Arc::clone(&signer))), PayloadKind::Webhook);
    let verified = Arc::new(AtomicUsize::new(0));
    let (count, key) = (Arc::clone(&verified), signer.public());
    let sender = Told::to(move |request| {
        let header = |name: &str| request.headers[name].to_str().unwrap().to_owned();
        let timestamp = Timestamp::from_millis(header("x-space-timestamp").parse().unwrap());
        let signature = header("x-space-public-key-signature");
        if sign::verify_public_key_signature(&key, timestamp, &request.body, &signature) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        async { answered(500) }
    });
    let settings = Settings { schedule: Schedule::from_delays(vec![HOUR]), ..Settings::default() };
    let _engine = start(&outbox, sender, settings);
    outbox.until_all(DeliveryState::GivenUp).await;
    assert_eq!(verified.load(Ordering::Relaxed), 2);
    outbox.look(|inside| {
        let recorded = &inside.row("a-0000").recorded;
        assert!(recorded[1].started_at >= recorded[0].started_at.plus(HOUR));
        assert!(matches!(recorded[0].outcome, Outcome::Answered(_)));
    });
}

#[tokio::test(start_paused = true)]
async fn outcomes_that_gather_are_committed_together() {
    let outbox = Memory::new();
    outbox.put("a", 64);
    let settings = Settings { in_flight: 512, in_flight_per_application: 64, ..Settings::default() };
    let engine = start(&outbox, Told::answer(200), settings);
    engine.wake([ApplicationId::new("a")]);
    outbox.until_all(DeliveryState::Delivered).await;
    assert!(outbox.look(|inside| inside.records) <= 4);
}
