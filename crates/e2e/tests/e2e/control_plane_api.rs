//! The description of the API is true: a fuzzer that reads it finds no server error, no status and no answer that it does not describe.

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use crate::control_plane::start_run;
use crate::harness::World;
use crate::harness::service::TOKEN;

/// Cases of each operation. More find more: `ISINGLASS_FUZZ_EXAMPLES` says how many.
const EXAMPLES: &str = "20";
/// What they answer is described and true.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
/// Operations with which the fuzzer would take its own rights away: every answer after that would be 401.
const LEFT_OUT: [&str; 4] = ["revoke_token", "delete_user", "patch_user", "set_password"];

/// The fuzzer that `make test` provides beside Python.
fn fuzzer() -> PathBuf {
    let python = crate::moto::python();
    let path = python.with_file_name("schemathesis");
    assert!(path.exists(), "{} does not exist: run `make test`, which provides it", path.display());
    path
}

#[test]
fn a_fuzzer_that_reads_the_description_finds_it_true() {
    let world = World::realistic();
    let service = world.serve(&world.catalog(), &["--log-level", "warn"]);
    // Something to find, so that not everything is 404.
    let (_, run) = start_run(&world, &service, &json!({}));
    service.wait_for_end(&run);
    let examples = std::env::var("ISINGLASS_FUZZ_EXAMPLES").unwrap_or_else(|_| EXAMPLES.to_owned());
    let mut command = Command::new(fuzzer());
    command.args(["run", &format!("{}/api/openapi.json", service.base), "--header", &format!("Authorization: Bearer {TOKEN}")]);
    command.args(["--phases", "examples,coverage,fuzzing", "--checks", CHECKS, "--max-examples", &examples]);
    command.args(["--generation-deterministic", "--continue-on-failure", "--request-timeout", "60", "--no-color"]);
    command.args(LEFT_OUT.iter().flat_map(|operation| ["--exclude-operation-id", operation]));
    let output = command.current_dir(world.path("")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    // The token still works: what was found was found with all rights.
    service.get("/api/v1/users");
    service.terminate().expect(0);
}
