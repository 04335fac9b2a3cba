//! A day in which everything goes wrong: endpoints fail and hang, the process dies and stops, the database refuses,
//! people send things again. At its end every delivery is delivered or given up, and none is lost.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use spaceport_delivery::outbox::{Authentication, Pace};
use spaceport_delivery::{Engine, ErrorKind, Handle, Outbox, Outcome, PayloadKind, Settings, Target};
use spaceport_platform::delivery::DeliveryState;
use spaceport_platform::id::WebhookId;
use spaceport_platform::random::Counting;
use tokio::time::{Instant, sleep};

use crate::memory::{Memory, StoppedClock, Told, answered, application, delivery_of, target};

const DAY: Duration = Duration::from_secs(24 * 3600);
const APPLICATIONS: [&str; 6] = ["fine", "flaky", "dying", "hanging", "ordered", "slow"];

/// Numbers that follow from a seed (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides
    }
}

/// What endpoints do with a request, and which deliveries they have taken.
struct World {
    dice: Mutex<Dice>,
    taken: Mutex<HashSet<String>>,
}

impl World {
    async fn receive(self: Arc<Self>, id: String) -> Outcome {
        let application = id.split('-').next().unwrap().to_owned();
        let roll = self.dice.lock().unwrap().roll(100);
        let outcome = match (application.as_str(), roll) {
            ("flaky", 0..40) | ("ordered", 0..15) => answered(503),
            ("flaky", 40..50) => answered(410),
            ("dying", 0..70) => Outcome::failed(ErrorKind::Connect, "refused"),
            ("hanging", 0..30) => {
                sleep(Duration::from_secs(30)).await;
                Outcome::failed(ErrorKind::Timeout, "no answer")
            }
            ("slow", _) => {
                sleep(Duration::from_secs(roll / 4)).await;
                answered(200)
            }
            _ => answered(200),
        };
        if outcome.status() == Some(200) {
            self.taken.lock().unwrap().insert(id);
        }
        outcome
    }
}

/// One process after the other on the same outbox.
struct Process<'a> {
    outbox: &'a Arc<Memory>,
    world: &'a Arc<World>,
    clock: Arc<StoppedClock>,
}

impl Process<'_> {
    fn begin(&self) -> Handle {
        let world = Arc::clone(self.world);
        let sender = Told::to(move |request| Arc::clone(&world).receive(delivery_of(&request)));
        let outbox: Arc<dyn Outbox> = Arc::<Memory>::clone(self.outbox);
        // The outbox in memory looks at everything each time it is asked.
        let settings = Settings { poll: Duration::from_secs(30), ..Settings::default() };
        Engine::start(outbox, sender, Arc::clone(&self.clock) as _, Arc::new(Counting::default()), settings)
    }
}

fn target_of(name: &str) -> Target {
    let pace = match name {
        "ordered" => {
            Some(Pace { of: WebhookId::new(name), ordered: true, most_in_flight: None, most_per_minute: None })
        }
        "slow" => {
            Some(Pace { of: WebhookId::new(name), ordered: false, most_in_flight: Some(3), most_per_minute: Some(90) })
        }
        _ => None,
    };
    Target { url: format!("https://{name}.example/hook"), pace, ..target(Authentication::None) }
}

#[expect(clippy::print_stdout, reason = "a run that fails names its seed")]
async fn a_day(seed: u64) {
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let world = Arc::new(World { dice: Mutex::new(Dice(seed ^ 0x9E37_79B9)), taken: Mutex::default() });
    let outbox = Memory::new();
    let process = Process { outbox: &outbox, world: &world, clock: Arc::new(StoppedClock::default()) };
    let (began, mut engine, mut round) = (Instant::now(), process.begin(), 0);
    while began.elapsed() < DAY {
        sleep(Duration::from_millis(1 + dice.roll(1_200_000))).await;
        match dice.roll(10) {
            0..5 => {
                round += 1;
                for name in APPLICATIONS {
                    let batch = format!("{name}-{round:04}");
                    let count = usize::try_from(dice.roll(10)).unwrap();
                    outbox.put_as(name, &batch, count, target_of(name), PayloadKind::Webhook);
                    engine.wake(application(name));
                }
            }
            5 => {
                engine.stop(Duration::from_secs(dice.roll(40))).await;
                engine = process.begin();
            }
            6 => {
                // Killed: nothing is recorded or given back.
                drop(engine);
                engine = process.begin();
            }
            7 => outbox.look(|inside| inside.failing_records = usize::try_from(dice.roll(30)).unwrap()),
            8 => outbox.look(|inside| inside.failing_looks = usize::try_from(dice.roll(30)).unwrap()),
            _ => {
                let now = process.clock.reading();
                outbox.look(|inside| {
                    let ended = |row: &&mut crate::memory::Row| {
                        matches!(row.state, DeliveryState::GivenUp | DeliveryState::Delivered)
                    };
                    for row in inside.rows.values_mut().filter(ended) {
                        if dice.roll(20) == 0 {
                            (row.state, row.due, row.tried_before) = (DeliveryState::Waiting, now, row.attempt);
                        }
                    }
                });
            }
        }
    }
    outbox
        .until(|inside| {
            inside.count(DeliveryState::Delivered) + inside.count(DeliveryState::GivenUp) == inside.rows.len()
        })
        .await;
    let taken = world.taken.lock().unwrap();
    outbox.look(|inside| {
        assert!(inside.rows.len() > 500, "seed {seed}: {} deliveries make no day", inside.rows.len());
        for (id, row) in &inside.rows {
            assert!(!row.recorded.is_empty(), "seed {seed}: {id} ended without an attempt");
            if row.state == DeliveryState::Delivered {
                assert!(taken.contains(id.as_str()), "seed {seed}: {id} counts as delivered and nobody took it");
            }
        }
        let of = |name: &str, state| {
            let rows = inside.rows.values().filter(|row| row.application.as_str() == name);
            rows.filter(|row| row.state == state).count()
        };
        assert_eq!(of("fine", DeliveryState::GivenUp), 0, "seed {seed}: nobody loses by the faults of others");
        assert_eq!(of("slow", DeliveryState::GivenUp), 0, "seed {seed}: limits cost no attempts");
        assert!(of("flaky", DeliveryState::GivenUp) > 0 && of("flaky", DeliveryState::Delivered) > 0, "seed {seed}");
    });
    drop(engine);
}

#[tokio::test(start_paused = true)]
async fn a_day_of_faults_ends_with_every_delivery_delivered_or_given_up() {
    for seed in [1, 20_240_305, 0xDEAD_BEEF] {
        a_day(seed).await;
    }
}
