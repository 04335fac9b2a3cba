//! A DNS server on 127.0.0.1 that changes its answers, written out byte by byte so that it shares nothing with the product.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;
/// Header: identifier, flags, four counts (RFC 1035, 4.1.1).
const HEADER: usize = 12;
/// Somebody has these names, and the answer is final: response, authoritative, recursion available.
const FOUND: [u8; 2] = [0x85, 0x80];
/// The same, with response code 3: nobody has the name.
const NO_SUCH_NAME: [u8; 2] = [0x85, 0x83];

/// What is answered to one question for A records, and to the one for AAAA records that comes with it.
#[derive(Clone, Debug, Default)]
pub struct Zone {
    /// The name that the asked one is an alias of.
    pub alias: Option<String>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
}

impl Zone {
    /// These addresses and no alias.
    pub fn of(addresses: &[IpAddr]) -> Self {
        Self { alias: None, addresses: addresses.to_vec() }
    }
}

#[derive(Debug, Default)]
struct State {
    /// Answers by name, in the order in which they are given; the last one is given for ever.
    zones: HashMap<String, Vec<Zone>>,
    asked: HashMap<String, usize>,
}

/// The running server. No answer may be remembered: its time-to-live is zero. It stops when dropped.
#[derive(Debug)]
pub struct NameServer {
    /// Where it listens.
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    socket: UdpSocket,
    thread: Option<JoinHandle<()>>,
}

impl NameServer {
    /// Starts it, without any name.
    ///
    /// # Panics
    /// When no port is free.
    pub fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
        let address = socket.local_addr().expect("a socket has an address");
        let state: Arc<Mutex<State>> = Arc::default();
        let (own, theirs) = (socket.try_clone().expect("a socket can be shared"), Arc::clone(&state));
        let thread = thread::spawn(move || {
            let mut question = [0; 4096];
            while let Ok((length, asker)) = own.recv_from(&mut question) {
                // The empty datagram is the one that `drop` sends.
                if length == 0 {
                    break;
                }
                if let Some(answer) = answer(&question[..length], &mut locked(&theirs)) {
                    let _ = own.send_to(&answer, asker);
                }
            }
        });
        Self { address, state, socket, thread: Some(thread) }
    }

    /// From now on questions for this name get these answers, one after the other, and the last one for ever.
    pub fn answer(&self, name: &str, zones: &[Zone]) {
        let mut zones = zones.to_vec();
        zones.reverse();
        locked(&self.state).zones.insert(name.to_owned(), zones);
    }

    /// How often the A records of this name were asked for.
    pub fn asked(&self, name: &str) -> usize {
        locked(&self.state).asked.get(name).copied().unwrap_or(0)
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        let _ = self.socket.send_to(&[], self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The answer to a question; `None` to what is none.
fn answer(question: &[u8], state: &mut State) -> Option<Vec<u8>> {
    let (name, end) = name(question)?;
    let kind = u16::from_be_bytes(question.get(end..end + 2)?.try_into().ok()?);
    let end = end + 4;
    let zone = state.zones.get_mut(&name).map(|zones| {
        let last = zones.last().cloned().unwrap_or_default();
        // Both kinds are asked for at the same time; which comes first does not matter to what follows the A records.
        if kind == A && zones.len() > 1 {
            zones.pop();
        }
        last
    });
    if kind == A {
        *state.asked.entry(name).or_default() += 1;
    }
    let mut records = Vec::new();
    let mut count: u16 = 0;
    let flags = if zone.is_some() { FOUND } else { NO_SUCH_NAME };
    // The name of a record points at the question's, unless there is an alias.
    let mut owner = vec![0xc0, u8::try_from(HEADER).ok()?];
    if let Some(zone) = zone {
        let mut add = |owner: &[u8], kind: u16, data: &[u8]| {
            records.extend_from_slice(owner);
            records.extend_from_slice(&kind.to_be_bytes());
            // Class IN, time-to-live zero.
            records.extend_from_slice(&[0, 1, 0, 0, 0, 0]);
            records.extend_from_slice(&u16::try_from(data.len()).unwrap_or(0).to_be_bytes());
            records.extend_from_slice(data);
            count += 1;
        };
        if let Some(alias) = &zone.alias {
            let alias = labels(alias);
            add(&owner, CNAME, &alias);
            owner = alias;
        }
        for address in &zone.addresses {
            match address {
                IpAddr::V4(address) if kind == A => add(&owner, A, &address.octets()),
                IpAddr::V6(address) if kind == AAAA => add(&owner, AAAA, &address.octets()),
                _ => {}
            }
        }
    }
    let mut answer = question.get(..2)?.to_vec();
    answer.extend_from_slice(&flags);
    // One question, so many answers, nothing else: what the question said of extensions is left out.
    answer.extend_from_slice(&[0, 1]);
    answer.extend_from_slice(&count.to_be_bytes());
    answer.extend_from_slice(&[0; 4]);
    answer.extend_from_slice(question.get(HEADER..end)?);
    answer.extend_from_slice(&records);
    Some(answer)
}

/// The name that is asked for, in lower case without its final dot, and where it ends.
fn name(question: &[u8]) -> Option<(String, usize)> {
    let mut at = HEADER;
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            return Some((labels.join("."), at));
        }
        labels.push(String::from_utf8_lossy(question.get(at..at + length)?).to_lowercase());
        at += length;
    }
}

/// A name as records hold it.
fn labels(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).expect("a label has at most 63 bytes"));
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes
}
