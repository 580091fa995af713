//! What is published, and who hears it.

use std::rc::Rc;

use super::{Answer, Call, Command, Words};
use crate::server::client::Client;
use crate::server::resp::Value;

pub(super) const COMMANDS: &[Command] = &[
    Command("PUBLISH", 3, publish),
    Command("SUBSCRIBE", -2, |call, words| {
        let client = call.client()?;
        let mut answer = |channel: &Vec<u8>| {
            client.channels.borrow_mut().insert(channel.clone());
            said(client, "subscribe", Value::bulk(channel))
        };
        Ok(Value::Answers(words[1..].iter().map(&mut answer).collect()))
    }),
    Command("UNSUBSCRIBE", -1, unsubscribe),
];

fn said(client: &Client, what: &str, channel: Value) -> Value {
    let many = client.channels.borrow().len() as i64;
    Value::Push(vec![Value::bulk(what), channel, Value::Int(many)])
}

fn unsubscribe(call: &Call<'_>, words: &Words) -> Answer {
    let client = call.client()?;
    let channels = match &words[1..] {
        [] => client.channels.borrow().iter().cloned().collect(),
        channels => channels.to_vec(),
    };
    if channels.is_empty() {
        return Ok(said(client, "unsubscribe", Value::Null));
    }
    let answer = |channel: Vec<u8>| {
        client.channels.borrow_mut().remove(&channel);
        said(client, "unsubscribe", Value::Bulk(channel))
    };
    Ok(Value::Answers(channels.into_iter().map(answer).collect()))
}

fn publish(call: &Call<'_>, words: &Words) -> Answer {
    let clients = call.server.clients.borrow();
    let hears = |client: &&Rc<Client>| client.channels.borrow().contains(&words[1]);
    let mut many = 0;
    for client in clients.values().filter(hears) {
        let message = ["message".as_bytes(), &words[1], &words[2]].map(Value::bulk);
        call.server.push(client, Value::Push(message.to_vec()));
        many += 1;
    }
    Ok(Value::Int(many))
}
