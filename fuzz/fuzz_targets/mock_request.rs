//! Bytes of a broken client: a connection to a broker of the embedded cluster, fed in pieces. Whatever comes,
//! the broker answers whole frames or ends the connection.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ottla::mock::{BrokerConnection, Cluster, PeerId};
use ottla::time::Time;

fuzz_target!(|data: &[u8]| {
    let mut cluster = Cluster::new(2, 1);
    let Some(mut connection) = BrokerConnection::new(&cluster, 1, PeerId(1)) else { return };
    let [split, framed, data @ ..] = data else { return };
    let piece = usize::from(*split).max(1);
    // Half of the inputs get the length that they need to reach a handler.
    let frame = match framed % 2 {
        0 => data.to_vec(),
        _ => [&(data.len() as u32).to_be_bytes()[..], data].concat(),
    };
    for (turn, bytes) in frame.chunks(piece).enumerate() {
        let now = Time::from_ms(turn as u64);
        connection.feed(bytes, &mut cluster, now);
        while let Some(answer) = connection.take_output(now) {
            let length = u32::from_be_bytes([answer[0], answer[1], answer[2], answer[3]]);
            assert_eq!(answer.len(), 4 + length as usize);
        }
    }
});
