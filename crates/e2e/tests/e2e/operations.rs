//! The operator's manual, run as it stands: every command of docs/operations.md in its order, and what they leave is compared.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use crate::harness::program::binary;
use crate::harness::service::TOKEN;
use crate::harness::{Postgres, Service, World};

const MANUAL: &str = include_str!("../../../../docs/operations.md");
const STOP: &str = "# Stop the service.";
/// Commands of the manual; a block that is not found any more would go unnoticed otherwise.
const COMMANDS_MIN: usize = 30;

/// The commands of the manual, in their order.
fn commands() -> Vec<String> {
    let blocks = MANUAL.split("```sh\n").skip(1);
    blocks.flat_map(|block| block.split("```").next().unwrap().lines()).map(str::to_owned).collect()
}

/// A world in which the examples of the manual are real.
struct Manual {
    world: World,
    postgres: Postgres,
    places: Vec<(String, String)>,
    services: Vec<Service>,
}

impl Manual {
    fn new() -> Self {
        let (world, postgres) = (World::realistic(), Postgres::start());
        let server = postgres.catalog();
        let server = server.rsplit_once('/').unwrap().0.to_owned();
        let mut places = vec![("postgres://isinglass@db.example.com".to_owned(), server)];
        for (name, folder) in [("/var/lib/isinglass", "lib"), ("/var/backups/isinglass", "backups"), ("/etc/isinglass", "etc")] {
            fs::create_dir_all(world.path(folder)).unwrap();
            places.push((name.to_owned(), world.text_path(folder)));
        }
        // All are held until all are known, so that they differ.
        let free: Vec<_> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        for (listener, port) in free.iter().zip(["7070", "7071", "7072"]) {
            places.push((format!("127.0.0.1:{port}"), listener.local_addr().unwrap().to_string()));
        }
        Self { world, postgres, places, services: Vec::new() }
    }

    fn run(&mut self, command: &str) {
        let real = self.places.iter().fold(command.to_owned(), |text, (from, to)| text.replace(from, to));
        if real == STOP {
            self.stop();
        } else if let Some(arguments) = real.strip_prefix("isinglass serve ") {
            self.serve(arguments);
        } else {
            assert!(!real.starts_with('#'), "{real}: nothing is done about it");
            let path = format!("{}:{}", binary().parent().unwrap().display(), std::env::var("PATH").unwrap());
            let mut bash = Command::new("bash");
            bash.args(["-euc", &real])
                .env_clear()
                .env("PATH", path)
                .env("PGSSLMODE", "disable")
                .env("HOME", self.world.path("lib"));
            let output = bash.output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{command}:\n{said}{}", String::from_utf8_lossy(&output.stdout));
        }
    }

    fn serve(&mut self, arguments: &str) {
        let mut all = vec!["serve"];
        all.extend(arguments.split(' '));
        let listen = all.iter().skip_while(|word| **word != "--listen").nth(1).unwrap().parse().unwrap();
        let program = self.world.program(&all).env("ISINGLASS_BOOTSTRAP_TOKEN", TOKEN);
        self.services.push(Service::start(program, listen));
    }

    fn stop(&mut self) {
        self.services.drain(..).for_each(|service| service.terminate().expect(0));
    }

    fn export(&self, catalog: &str) -> String {
        let ended = self.world.program(&["export", "--format", "ndjson", "--catalog", catalog]).run();
        ended.expect(0);
        ended.stdout
    }

    fn catalog(&self, name: &str) -> String {
        format!("sqlite:{}", self.world.text_path(name))
    }
}

#[test]
fn every_command_of_the_operators_manual_does_what_it_says() {
    let mut manual = Manual::new();
    let catalog = manual.catalog("lib/catalog.db");
    manual.world.crawl(&["--catalog", &catalog]).expect(0);
    let before = manual.export(&catalog);
    assert!(before.lines().count() > 10);
    let commands = commands();
    assert!(commands.len() >= COMMANDS_MIN, "{}", commands.len());
    for command in &commands {
        manual.run(command);
        if command.starts_with("createdb") && command.ends_with(" isinglass") {
            manual.world.crawl(&["--catalog", &manual.postgres.catalog().replace("/postgres?", "/isinglass?")]).expect(0);
        }
    }
    manual.stop();

    for copy in ["lib/catalog.db", "backups/before-the-service.db", "backups/catalog.db"] {
        assert!(manual.export(&manual.catalog(copy)) == before, "{copy} holds something else");
    }
    let database = |name: &str| manual.postgres.catalog().replace("/postgres?", &format!("/{name}?"));
    assert!(manual.export(&database("isinglass")) == manual.export(&database("restored")), "the dump holds something else");
    assert!(manual.world.path("backups/server/PG_VERSION").exists());
    let keys = fs::read_to_string(manual.world.path("etc/master.key")).unwrap();
    assert_eq!(keys.lines().count(), 2, "the rotated key and the one before");
    assert_eq!(fs::read_to_string(manual.world.path("lib/catalog.db.master-key")).unwrap().lines().count(), 1, "one was retired");
}

#[test]
fn a_backup_never_overwrites_and_sends_postgresql_to_its_own_programs() {
    let world = World::realistic();
    world.crawl_to_catalog(&[]).expect(0);
    let to = world.text_path("copy.db");
    world.program(&["backup", "--catalog", &world.catalog(), "--to", &to]).run().expect(0);
    world.program(&["backup", "--catalog", &world.catalog(), "--to", &to]).run().says(1, &["exists", "another name"]);
    let ended = world.program(&["backup", "--catalog", "postgres://me:hunter2@db.example.com/isinglass", "--to", &to]).run();
    ended.says(2, &["pg_dump --format=custom", "pg_restore", "pg_basebackup", "me:***@db"]);
    assert!(!ended.stderr.contains("hunter2"));
}

#[test]
fn keys_in_a_variable_are_rotated_by_hand_and_then_by_the_program() {
    let world = World::realistic();
    world.crawl_to_catalog(&[]).expect(0);
    let service = world.serve(&world.catalog(), &[]);
    let credential = serde_json::json!({"name": "prod", "authType": "iam", "username": "AKIAIOSFODNN7EXAMPLE",
        "password": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "extra": {"region": "eu-west-1"}});
    service.post("/api/v1/credentials", &credential, 201);
    let old = crate::harness::service::MASTER_KEY;
    let keys = |command: &str, value: &str| {
        let program = world.program(&["keys", command, "--catalog", &world.catalog()]);
        program.env("MASTER_KEY", value).env("ISINGLASS_MASTER_KEY_VARIABLE", "MASTER_KEY").run()
    };
    keys("rotate", old).says(1, &["master_key.variable", "openssl rand -base64 32", "NEW,OLD"]);
    let both = format!("{},{old}", "AB".repeat(32));
    keys("retire", &both).says(1, &["secrets are still under older keys: 1 under"]);
    let rotated = keys("rotate", &both);
    rotated.expect(0);
    assert!(rotated.stdout.contains("Secrets brought under it: 1."), "{}", rotated.stdout);
    keys("status", &"AB".repeat(32)).expect(0);
    keys("status", old).says(1, &["missing"]);
    service.terminate().expect(0);
}
