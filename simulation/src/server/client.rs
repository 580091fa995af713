//! One connection: what arrives is done, what is answered is sent.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::sync::Notify;

use super::commands;
use super::resp::{self, Value};
use super::state::{Mode, State};
use super::tracking::Tracking;

/// How much Redis reads at once, and so how much it does in one turn.
const TURN: usize = 16 * 1024;

/// A client as the server knows it.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: u64,
    pub(super) name: RefCell<Vec<u8>>,
    /// The version of the protocol that it speaks.
    pub(super) resp: Cell<u8>,
    pub(super) tracking: RefCell<Option<Tracking>>,
    pub(super) channels: RefCell<BTreeSet<Vec<u8>>>,
    /// It has removed everything, and is told so once that is answered.
    pub(super) is_flushed: Cell<bool>,
    /// When all is sent that it is to be sent, it is closed.
    pub(super) ends: Cell<bool>,
    closed: Cell<bool>,
    /// What is to be sent.
    out: RefCell<Vec<u8>>,
    pub(super) wake: Notify,
}

impl Client {
    pub(super) fn new(id: u64) -> Self {
        Self {
            id,
            name: RefCell::default(),
            resp: Cell::new(2),
            tracking: RefCell::default(),
            channels: RefCell::default(),
            is_flushed: Cell::default(),
            ends: Cell::default(),
            closed: Cell::default(),
            out: RefCell::default(),
            wake: Notify::new(),
        }
    }

    /// At once: what has not been sent is not sent any more.
    pub(super) fn close(&self) {
        self.closed.set(true);
        self.wake.notify_one();
    }
}

impl State {
    /// Writes it down, to be sent when the server gets round to it.
    pub(super) fn send(&self, client: &Client, value: &Value) {
        let mut out = client.out.borrow_mut();
        let before = out.len();
        value.write(client.resp.get(), &mut out);
        self.counts.borrow_mut().bytes_out += (out.len() - before) as u64;
        client.wake.notify_one();
    }
}

/// A client and its server; it is over when this is dropped.
pub(super) struct Connection {
    pub(super) server: Rc<State>,
    pub(super) client: Rc<Client>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.server.leave(&self.client);
    }
}

impl Connection {
    /// Until either side closes it.
    pub(super) async fn serve(self, stream: impl AsyncRead + AsyncWrite) {
        let (client, server) = (&self.client, &self.server);
        let (mut reader, mut writer) = split(stream);
        let (mut input, mut output) = (Vec::new(), Vec::new());
        let mut chunk = vec![0; TURN];
        let mut gone = false;
        while !client.closed.get() {
            let is_up = server.mode.get() == Mode::Up;
            if is_up {
                self.turn(&mut input);
                output.append(&mut client.out.borrow_mut());
                // What it sent before it went is done all the same.
                if gone || (client.ends.get() && output.is_empty()) {
                    break;
                }
            }
            tokio::select! {
                biased;
                () = client.wake.notified() => {}
                sent = writer.write(&output), if is_up && !output.is_empty() => match sent {
                    Ok(sent) if sent > 0 => drop(output.drain(..sent)),
                    _ => gone = true,
                },
                read = reader.read(&mut chunk), if !gone => match read {
                    Ok(read) if read > 0 => {
                        server.counts.borrow_mut().bytes_in += read as u64;
                        input.extend_from_slice(&chunk[..read]);
                    }
                    _ => gone = true,
                },
            }
        }
    }

    /// Does what has arrived in full; then everybody is told what has changed.
    fn turn(&self, input: &mut Vec<u8>) {
        if input.is_empty() {
            return;
        }
        let (client, server) = (&self.client, &self.server);
        let mut done = 0;
        while !client.ends.get() && !client.closed.get() {
            match resp::read(&input[done..]) {
                Ok(Some((command, length))) => {
                    done += length;
                    let answer = (!command.is_empty()).then(|| commands::run(server, client, &command));
                    self.answer(answer);
                }
                Ok(None) => break,
                Err(wrong) => {
                    self.answer(Some(Value::Error(wrong)));
                    client.ends.set(true);
                }
            }
        }
        if client.ends.get() {
            done = input.len();
        }
        input.drain(..done);
        server.end_turn();
    }

    fn answer(&self, value: Option<Value>) {
        let (client, server) = (&self.client, &self.server);
        if let Some(value) = value {
            server.send(client, &value);
        }
        if client.is_flushed.take() {
            server.invalidate(client, Value::Null);
        }
    }
}
