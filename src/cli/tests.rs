use super::*;
use crate::controllers::settings::WatchNamespaces;
use crate::google::Endpoints;
use clap::Arg;

fn run_arguments(flags: &[&str]) -> Result<Box<RunArguments>, clap::Error> {
    let words = ["chrome-enterprise-operator", "run"].iter().chain(flags);
    match Cli::try_parse_from(words)?.command {
        Command::Run(arguments) => Ok(arguments),
        other @ (Command::Crds(_) | Command::Policies(_) | Command::Generate(_)) => panic!("{other:?}"),
    }
}

fn refusal(flags: &[&str]) -> String {
    match run_arguments(flags) {
        Err(error) => {
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        }
        Ok(arguments) => arguments.settings().unwrap_err(),
    }
}

#[test]
fn the_definition_of_the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_flag_has_an_environment_variable_named_like_it_and_a_help_text() {
    let mut command = Cli::command();
    command.build();
    let mut flags = 0;
    for subcommand in command
        .get_subcommands()
        .filter(|subcommand| subcommand.get_name() != "help")
    {
        for flag in subcommand
            .get_arguments()
            .filter(|flag| !["help", "version"].contains(&flag.get_id().as_str()))
        {
            let name = flag.get_long().unwrap();
            let expected = format!(
                "CHROME_ENTERPRISE_OPERATOR_{}",
                name.to_uppercase().replace('-', "_")
            );
            assert_eq!(
                flag.get_env().and_then(|name| name.to_str()),
                Some(expected.as_str()),
                "--{name}"
            );
            assert!(flag.get_help().is_some(), "--{name} has no help");
            flags += 1;
        }
    }
    assert!(flags >= 22, "{flags}");
}

#[test]
fn every_flag_of_run_stands_under_a_heading() {
    let command = Cli::command();
    let run = command.find_subcommand("run").unwrap();
    let without: Vec<_> = run
        .get_arguments()
        .filter(|flag| flag.get_help_heading().is_none())
        .map(Arg::get_id)
        .collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn without_flags_the_documented_defaults_hold() {
    let arguments = run_arguments(&[]).unwrap();
    let settings = arguments.settings().unwrap();
    assert_eq!(
        settings.controllers,
        crate::controllers::settings::ControllerSettings::default()
    );
    assert_eq!(settings.google.endpoints, Endpoints::google());
    assert_eq!(settings.google.quota, crate::google::QuotaSettings::default());
    assert_eq!(
        settings.google.http.retry,
        crate::google::RetrySettings::default()
    );
    assert_eq!(settings.google.http.request_timeout, Duration::from_mins(1));
    assert_eq!(settings.listen.to_string(), "0.0.0.0:8080");
    assert_eq!(arguments.log_settings().filter, telemetry::DEFAULT_FILTER);
}

#[test]
fn flags_reach_the_settings() {
    let settings = run_arguments(&[
        "--google-endpoint=http://127.0.0.1:18080",
        "--google-proxy=http://user:hunter2@proxy.school.example:3128",
        "--google-request-timeout-seconds=20",
        "--google-connect-timeout-seconds=3",
        "--google-queries-per-minute=60",
        "--google-retry-base-milliseconds=5",
        "--page-size=300",
        "--write-concurrency=4",
        "--secret-poll-seconds=1",
        "--activity-freshness-seconds=60",
        "--retry-initial-seconds=1",
        "--retry-max-seconds=2",
        "--watch-namespace=north",
        "--watch-namespace=south,east",
        "--listen=127.0.0.1:0",
        "--kubeconfig=some/file",
        "--context=school",
        "--allow-keyless=namespace=north,service-account=fleet@project.iam.gserviceaccount.com,domain=north.example",
        "--allow-keyless=namespace=south,service-account=fleet@project.iam.gserviceaccount.com,customer=C01;namespace=east,service-account=fleet@project.iam.gserviceaccount.com,domain=east.example",
        "--google-metadata-endpoint=http://127.0.0.1:18081",
    ])
    .unwrap()
    .settings()
    .unwrap();
    assert_eq!(
        settings.google.endpoints.token().as_str(),
        "http://127.0.0.1:18080/token"
    );
    let rules = &settings.controllers.keyless;
    let namespaces: Vec<_> = rules.iter().map(|rule| rule.namespace.as_str()).collect();
    assert_eq!(namespaces, ["north", "south", "east"]);
    let elsewhere = Endpoints::all_at(&"http://127.0.0.1:18080".parse().unwrap());
    assert_eq!(
        settings.google.endpoints,
        elsewhere.with_metadata_at(&"http://127.0.0.1:18081".parse().unwrap())
    );
    assert_eq!(settings.google.http.proxy.as_ref().unwrap().port(), Some(3128));
    assert_eq!(settings.google.http.request_timeout, Duration::from_secs(20));
    assert_eq!(settings.google.http.connect_timeout, Duration::from_secs(3));
    assert_eq!(settings.google.http.retry.base_delay, Duration::from_millis(5));
    assert_eq!(settings.google.quota.reads_per_minute, 60);
    let controllers = &settings.controllers;
    assert_eq!((controllers.page_size, controllers.write_concurrency), (300, 4));
    assert_eq!(controllers.secret_poll, Duration::from_secs(1));
    assert_eq!(controllers.activity_freshness, Duration::from_mins(1));
    assert_eq!(
        (controllers.retry_initial, controllers.retry_max),
        (Duration::from_secs(1), Duration::from_secs(2))
    );
    let names = ["east", "north", "south"].map(ToOwned::to_owned);
    assert_eq!(controllers.watch_namespaces, WatchNamespaces::Only(names.into()));
    assert_eq!(settings.listen.port(), 0);
    assert_eq!(
        settings.kubernetes.kubeconfig.as_deref(),
        Some(std::path::Path::new("some/file"))
    );
    assert_eq!(settings.kubernetes.context.as_deref(), Some("school"));
    assert!(
        !format!("{settings:?}").contains("hunter2"),
        "a password is shown"
    );
}

#[test]
fn an_endpoint_that_would_expose_tokens_is_refused() {
    for loopback in [
        "http://127.0.0.1:1",
        "http://127.8.8.8",
        "http://[::1]:9",
        "http://localhost",
        "http://a.localhost",
    ] {
        assert!(
            run_arguments(&["--google-endpoint", loopback])
                .unwrap()
                .settings()
                .is_ok(),
            "{loopback}"
        );
    }
    for remote in [
        "http://10.0.0.7:8080",
        "http://simulator.demo.svc",
        "http://localhost.school.example",
    ] {
        let problem = refusal(&["--google-endpoint", remote]);
        assert!(problem.contains("--google-endpoint-allow-http"), "{problem}");
        let flags = ["--google-endpoint", remote, "--google-endpoint-allow-http"];
        assert!(run_arguments(&flags).unwrap().settings().is_ok(), "{remote}");
    }
    assert!(
        run_arguments(&["--google-endpoint=https://gateway.school.example/google"])
            .unwrap()
            .settings()
            .is_ok()
    );
}

#[test]
fn values_that_cannot_be_used_are_refused_with_the_flag_and_the_reason() {
    let table: [(&[&str], [&str; 2]); 16] = [
        (&["--page-size=0"], ["--page-size", "1..=300"]),
        (&["--page-size=301"], ["--page-size", "1..=300"]),
        (&["--write-concurrency=0"], ["--write-concurrency", "1..=512"]),
        (
            &["--secret-poll-seconds=soon"],
            ["--secret-poll-seconds", "invalid digit"],
        ),
        (
            &["--activity-freshness-seconds=59"],
            ["--activity-freshness-seconds", "60..="],
        ),
        (
            &["--retry-initial-seconds=20", "--retry-max-seconds=10"],
            ["--retry-max-seconds", "--retry-initial-seconds"],
        ),
        (
            &["--google-endpoint=ftp://school.example"],
            ["--google-endpoint", "https://"],
        ),
        (
            &["--google-endpoint=school.example"],
            ["--google-endpoint", "https://"],
        ),
        (
            &["--google-endpoint=https://user@school.example"],
            ["--google-endpoint", "user name"],
        ),
        (
            &["--google-endpoint=https://school.example/?a=b"],
            ["--google-endpoint", "after ?"],
        ),
        (
            &["--google-proxy=socks5://school.example"],
            ["--google-proxy", "http://"],
        ),
        (
            &["--google-ca-file=/no/such/file"],
            ["--google-ca-file", "/no/such/file"],
        ),
        (
            &["--google-queries-per-minute=1"],
            ["--google-queries-per-minute", "2..="],
        ),
        (&["--watch-namespace=North"], ["--watch-namespace", "lower-case"]),
        (&["--listen=8080"], ["--listen", "socket address"]),
        (&["--log-filter=info,operator=loud"], ["--log-filter", "Example"]),
    ];
    for (flags, parts) in table {
        let problem = refusal(flags);
        for part in parts {
            assert!(problem.contains(part), "{flags:?}: {problem}");
        }
    }
    assert!(refusal(&["--log-format=xml"]).contains("auto, text, json"));
    assert!(refusal(&["--page-sise=3"]).contains("--page-size"));
}
