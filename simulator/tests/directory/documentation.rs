//! Every curl example of docs/simulator.md is carried out and must succeed.

use std::collections::BTreeSet;

use reqwest::Method;

use crate::support::World;

/// One curl command.
#[derive(Debug)]
struct Example {
    method: Method,
    address: String,
    body: Option<String>,
    bearer: bool,
}

/// The commands of the shell blocks. Lines that go on are joined, remarks and pipes are cut off.
fn examples(markdown: &str) -> Vec<Example> {
    let blocks = markdown
        .split("```sh\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap());
    blocks.flat_map(commands).map(|words| example(&words)).collect()
}

/// Splits shell text into commands of words, as far as the examples use the shell.
fn commands(block: &str) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    let mut words = Vec::new();
    let mut letters = block.chars().peekable();
    let mut word: Option<String> = None;
    while let Some(letter) = letters.next() {
        match letter {
            '\'' | '"' => {
                let quoted: String = letters.by_ref().take_while(|next| *next != letter).collect();
                word.get_or_insert_default().push_str(&quoted);
            }
            '\\' if letters.peek() == Some(&'\n') => {
                letters.next();
            }
            '#' if word.is_none() => while letters.next_if(|next| *next != '\n').is_some() {},
            ' ' => words.extend(word.take()),
            '\n' => {
                words.extend(word.take());
                commands.push(std::mem::take(&mut words));
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    commands
        .into_iter()
        .filter(|words| words.first().is_some_and(|first| first == "curl"))
        .collect()
}

fn example(words: &[String]) -> Example {
    let mut example = Example {
        method: Method::GET,
        address: String::new(),
        body: None,
        bearer: false,
    };
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "-X" => example.method = words.next().unwrap().parse().unwrap(),
            "-d" => {
                example.body = words.next().cloned();
                if example.method == Method::GET {
                    example.method = Method::POST;
                }
            }
            "-H" => {
                example.bearer = words.next().unwrap() == "Authorization: Bearer $TOKEN";
            }
            ">" | "|" => break,
            address => example.address = address.to_owned(),
        }
    }
    example
}

#[tokio::test]
async fn every_example_works() {
    let markdown =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/simulator.md")).unwrap();
    let examples = examples(&markdown);
    assert!(examples.len() > 60, "{}", examples.len());
    for example in &examples {
        // Each in a world of its own: some examples switch everything off.
        let world = World::with_devices(120).await;
        let device = world.laptop();
        let asks = |word: &str| example.address.contains(word);
        let command = if asks("COMMAND_ID") {
            world.accepted(&device, "WIPE_USERS").await
        } else {
            String::new()
        };
        let overview = world
            .control(Method::GET, "/auth", &serde_json::Value::Null)
            .await
            .json();
        let client = overview["serviceAccounts"][0]["clientId"]
            .as_str()
            .unwrap()
            .to_owned();
        let fill = |text: &str| {
            text.replace("$SIM", &world.simulator.url())
                .replace("C0cfy9k32", &world.customer())
                .replace("DEVICE_ID", &device)
                .replace("COMMAND_ID", &command)
                .replace("CLIENT_ID", &client)
        };
        if example.address.ends_with("/faults/1") {
            let rule = serde_json::json!({ "fault": { "kind": "internal" } });
            world.control(Method::POST, "/faults", &rule).await;
        }
        let mut request = world.http.request(example.method.clone(), fill(&example.address));
        if example.bearer {
            request = request.bearer_auth(&world.token);
        }
        if let Some(body) = &example.body {
            request = request.body(fill(body));
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        assert!(
            status.is_success(),
            "{example:?}: {status} {}",
            answer.text().await.unwrap()
        );
    }
}

/// The words that serde names when it meets one which it does not know.
fn words_of<T: serde::de::DeserializeOwned>(wrong: &str) -> Vec<String> {
    let error = serde_json::from_str::<T>(wrong).err().unwrap().to_string();
    let words = error.split('`').skip(3).step_by(2).map(str::to_owned);
    let words: Vec<String> = words.collect();
    assert!(words.len() > 5, "{error}");
    words
}

#[test]
fn everything_that_can_be_set_is_described() {
    use google_admin_simulator::command::{CommandBehaviour, CommandSwitches, CommandType};
    use google_admin_simulator::control::changes::ChangeKind;
    use google_admin_simulator::faults::{Fault, FaultRule};
    use google_admin_simulator::switches::Switches;
    let markdown =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/simulator.md")).unwrap();
    let described: BTreeSet<&str> = markdown.split('`').skip(1).step_by(2).collect();
    let field = r#"{"?": 1}"#;
    for words in [
        words_of::<Fault>(r#"{"kind": "?"}"#),
        words_of::<ChangeKind>("\"?\""),
        words_of::<CommandType>("\"?\""),
        words_of::<CommandBehaviour>(field),
        words_of::<CommandSwitches>(field),
        words_of::<Switches>(field),
        words_of::<FaultRule>(r#"{"?": 1, "fault": {"kind": "hang"}}"#),
    ] {
        for word in words {
            let known = described.contains(word.as_str()) || word == "match" || word == "fault";
            assert!(known, "{word} is not described");
        }
    }
}
