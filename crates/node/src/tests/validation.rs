//! Each rule of each level, and workflows with planted faults: found at the level that promises it, and not before.

use std::path::Path;

use skep_definition::check::Level;
use skep_model::problem::Severity;
use skep_model::surroundings::{Fixed, Load};

use super::{open_with, request};
use crate::config::Config;
use crate::service::{Look, Validation, validate_closely};

/// A fault, the level that promises to find it, and the code under which.
struct Planted {
    level: Level,
    code: &'static str,
    /// Lines before `steps:`.
    head: &'static str,
    /// Lines below `steps:`.
    steps: &'static str,
}

const fn basic(code: &'static str, head: &'static str, steps: &'static str) -> Planted {
    Planted { level: Level::Basic, code, head, steps }
}

const fn standard(code: &'static str, head: &'static str, steps: &'static str) -> Planted {
    Planted { level: Level::Standard, code, head, steps }
}

const fn strict(code: &'static str, head: &'static str, steps: &'static str) -> Planted {
    Planted { level: Level::Strict, code, head, steps }
}

const fn paranoid(code: &'static str, head: &'static str, steps: &'static str) -> Planted {
    Planted { level: Level::Paranoid, code, head, steps }
}

/// An input with a few values.
const ENVIRONMENT: &str = "inputs: {environment: {type: string, enum: [staging, production], default: staging}}";
const TEXT_AND_COUNT: &str = "inputs: {host: {type: string, required: true}, count: {type: integer, default: 3}, on: {type: boolean, default: true}}";

const PLANTED: &[Planted] = &[
    // Required fields, ids, dependencies, cycles.
    basic("SKEP-D023", "", "  - {id: a}"),
    basic("SKEP-D025", "", "  - {id: a, run: 'true'}\n  - {id: a, run: 'true'}"),
    basic("SKEP-C001", "order: graph", "  - {id: a, run: 'true'}\n  - {id: b, run: 'true', depends_on: [c]}"),
    basic(
        "SKEP-C002",
        "order: graph",
        "  - {id: a, run: 'true', depends_on: [b]}\n  - {id: b, run: 'true', depends_on: [a]}",
    ),
    basic("SKEP-D029", "", "  - {id: a, run: 'true'}\n  - {id: b, run: 'true', depends_on: [a]}"),
    // Names that do not exist.
    basic("SKEP-C006", "", "  - {id: a, run: 'echo \"${{ inputs.host }}\"'}"),
    basic("SKEP-C007", "", "  - {id: a, run: 'echo \"${{ steps.b.outputs.stdout }}\"'}"),
    basic("SKEP-C010", "", "  - {id: a, run: 'true'}\n  - {id: b, run: 'echo \"${{ steps.a.outputs.image }}\"'}"),
    basic("SKEP-C009", "", "  - {id: a, run: 'echo \"${{ steps.b.outputs.stdout }}\"'}\n  - {id: b, run: 'true'}"),
    // Negative numbers.
    basic("SKEP-D026", "", "  - {id: a, run: 'true', timeout: -5s}"),
    basic("SKEP-D034", "", "  - {id: a, run: 'true', retry: {max_retries: -1}}"),
    // Commands and parameters.
    standard("SKEP-C030", "", "  - {id: a, uses: htpp, with: {url: 'https://example.org'}}"),
    standard("SKEP-C031", "", "  - {id: a, uses: http, with: {method: POST}}"),
    standard("SKEP-C031", "", "  - {id: a, uses: http, with: {url: 'https://example.org', metod: GET}}"),
    standard("SKEP-C031", "", "  - {id: a, uses: log, with: {message: hello, level: loud}}"),
    // Types through expressions.
    standard(
        "SKEP-C070",
        TEXT_AND_COUNT,
        "  - {id: all, run: 'echo \"${{ inputs.host }} ${{ inputs.count }} ${{ inputs.on }}\"'}\n  - {id: a, uses: http, with: {url: '${{ inputs.count }}'}}",
    ),
    standard(
        "SKEP-C070",
        TEXT_AND_COUNT,
        "  - {id: all, run: 'echo \"${{ inputs.host }} ${{ inputs.count }} ${{ inputs.on }}\"'}\n  - {id: a, foreach: '${{ inputs.host }}', steps: [{id: b, uses: noop}]}",
    ),
    standard(
        "SKEP-C070",
        TEXT_AND_COUNT,
        "  - {id: all, run: 'echo \"${{ inputs.host }} ${{ inputs.count }} ${{ inputs.on }}\"'}\n  - {id: a, if: '${{ inputs.host }}', uses: noop}",
    ),
    standard(
        "SKEP-C070",
        TEXT_AND_COUNT,
        "  - {id: all, run: 'echo \"${{ inputs.host }} ${{ inputs.count }} ${{ inputs.on }}\"'}\n  - {id: a, if: '${{ inputs.host > 3 }}', uses: noop}",
    ),
    standard(
        "SKEP-C070",
        TEXT_AND_COUNT,
        "  - {id: all, run: 'echo \"${{ inputs.host }} ${{ inputs.count }} ${{ inputs.on }}\"'}\n  - {id: a, uses: log, with: {message: '${{ inputs.count + inputs.host }}'}}",
    ),
    standard(
        "SKEP-C070",
        TEXT_AND_COUNT,
        "  - {id: all, run: 'echo \"${{ inputs.host }} ${{ inputs.count }} ${{ inputs.on }}\"'}\n  - {id: a, repeat: {times: '${{ inputs.host }}'}, steps: [{id: b, uses: noop}]}",
    ),
    standard(
        "SKEP-C070",
        TEXT_AND_COUNT,
        "  - {id: all, run: 'echo \"${{ inputs.host }} ${{ inputs.count }} ${{ inputs.on }}\"'}\n  - {id: a, uses: sql, with: {database: x.db, query: select 1, read_only: '${{ inputs.host }}'}}",
    ),
    standard(
        "SKEP-C070",
        ENVIRONMENT,
        "  - {id: a, uses: log, with: {message: hello, level: '${{ inputs.environment }}'}}",
    ),
    // Conditions that can never hold.
    standard("SKEP-C071", ENVIRONMENT, "  - {id: a, if: \"${{ inputs.environment == 'prod' }}\", uses: noop}"),
    standard("SKEP-C071", ENVIRONMENT, "  - {id: a, if: \"${{ inputs.environment in ['qa', 'test'] }}\", uses: noop}"),
    standard(
        "SKEP-C071",
        TEXT_AND_COUNT,
        "  - {id: all, run: 'echo \"${{ inputs.host }} ${{ inputs.count }} ${{ inputs.on }}\"'}\n  - {id: a, if: \"${{ inputs.count == '3' }}\", uses: noop}",
    ),
    standard(
        "SKEP-C071",
        "",
        "  - {id: a, run: 'true'}\n  - {id: b, if: \"${{ steps.a.status == 'success' }}\", uses: noop}",
    ),
    standard("SKEP-C036", "", "  - {id: a, if: 'false', run: 'true'}"),
    standard(
        "SKEP-C036",
        TEXT_AND_COUNT,
        "  - {id: all, run: 'echo \"${{ inputs.host }} ${{ inputs.count }} ${{ inputs.on }}\"'}\n  - {id: a, if: '${{ inputs.count > 5 and inputs.count < 3 }}', uses: noop}",
    ),
    standard(
        "SKEP-C036",
        TEXT_AND_COUNT,
        "  - {id: all, run: 'echo \"${{ inputs.host }} ${{ inputs.count }} ${{ inputs.on }}\"'}\n  - {id: a, if: '${{ inputs.on and not inputs.on }}', uses: noop}",
    ),
    standard(
        "SKEP-C036",
        ENVIRONMENT,
        "  - {id: a, if: \"${{ inputs.environment == 'staging' and inputs.environment == 'production' }}\", uses: noop}",
    ),
    standard(
        "SKEP-C036",
        TEXT_AND_COUNT,
        "  - {id: all, run: 'echo \"${{ inputs.host }} ${{ inputs.count }} ${{ inputs.on }}\"'}\n  - {id: a, while: '${{ inputs.on or not inputs.on }}', steps: [{id: b, uses: noop}]}",
    ),
    // What is never reached.
    standard(
        "SKEP-C038",
        ENVIRONMENT,
        "  - {id: a, switch: {cases: [{when: \"inputs.environment == 'staging'\", steps: [{id: b, uses: noop}]}, {when: \"'staging' == inputs.environment\", steps: [{id: c, uses: noop}]}]}}",
    ),
    standard(
        "SKEP-C038",
        "",
        "  - {id: a, switch: {cases: [{when: 'true', steps: [{id: b, uses: noop}]}], default: [{id: c, uses: noop}]}}",
    ),
    standard(
        "SKEP-C038",
        "order: graph",
        "  - {id: a, if: 'false', uses: noop}\n  - {id: b, depends_on: [a], uses: noop}",
    ),
    standard("SKEP-C038", "", "  - {id: a, foreach: [], steps: [{id: b, uses: noop}]}"),
    standard("SKEP-C038", "", "  - {id: a, repeat: {times: 0}, steps: [{id: b, uses: noop}]}"),
    // Timeouts and retries.
    standard("SKEP-C032", "", "  - {id: a, run: 'true', timeout: 0s}"),
    standard("SKEP-C033", "", "  - {id: a, run: 'true', timeout: 3s}"),
    standard("SKEP-C033", "", "  - {id: a, run: 'true', timeout: 2h}"),
    standard("SKEP-C035", "", "  - {id: a, run: 'true', retry: {max_attempts: 40}}"),
    standard("SKEP-C037", "inputs: {host: string}", "  - {id: a, uses: noop}"),
    // Dangerous commands.
    strict("SKEP-C080", "", "  - {id: a, run: 'rm -rf build'}"),
    strict("SKEP-C080", "", "  - {id: a, run: 'rm -r --force -- build'}"),
    strict("SKEP-C080", "", "  - {id: a, run: 'sudo rm /srv/lock'}"),
    strict("SKEP-C080", "", "  - {id: a, run: 'bash -c \"rm -rf build\"'}"),
    strict("SKEP-C080", "", "  - {id: a, run: 'find . -name \"*.o\" | xargs rm -rf'}"),
    strict("SKEP-C080", "", "  - {id: a, run: 'x=$(rm -rf build)'}"),
    strict("SKEP-C080", "", "  - {id: a, run: 'mkfs.ext4 /dev/sdb1'}"),
    strict("SKEP-C080", "", "  - {id: a, run: 'dd if=image of=/dev/sdb'}"),
    strict("SKEP-C080", "", "  - {id: a, run: 'psql -c \"DROP TABLE users\"'}"),
    strict("SKEP-C080", "", "  - id: a\n    run: |\n      mysql app <<SQL\n      TRUNCATE TABLE users;\n      SQL"),
    strict("SKEP-C080", "", "  - {id: a, run: 'true', rollback: {run: 'rm -rf build'}}"),
    strict("SKEP-C081", "", "  - {id: a, uses: sql, with: {database: x.db, query: drop table users}}"),
    strict(
        "SKEP-C081",
        "",
        "  - {id: a, uses: sql, with: {database: x.db, statements: [{query: truncate table users}]}}",
    ),
    // Nobody is asked.
    strict("SKEP-C082", "", "  - {id: a, uses: hv-sync}"),
    strict("SKEP-C083", "category: security", "  - {id: a, uses: noop}"),
    strict("SKEP-C083", "", "  - {id: a, uses: hv-broadcast, with: {severity: critical}}"),
    strict("SKEP-C083", "estimated_duration: 2h", "  - {id: a, uses: noop}"),
    strict(
        "SKEP-C083",
        "",
        "  - {id: a, uses: noop}\n  - {id: b, uses: noop}\n  - {id: c, uses: noop}\n  - {id: d, uses: noop}\n  - {id: e, uses: noop}\n  - {id: f, uses: noop}\n  - {id: g, uses: noop}\n  - {id: h, uses: noop}\n  - {id: i, uses: noop}\n  - {id: j, uses: noop}\n  - {id: k, uses: noop}",
    ),
    // Secrets.
    strict("SKEP-C084", "", "  - {id: a, run: './push.sh', env: {KEY: AKIAIOSFODNN7EXAMPLE}}"),
    strict("SKEP-C084", "", "  - {id: a, run: 'curl https://ada:hunter22@example.org'}"),
    strict("SKEP-C084", "", "  - {id: a, run: './push.sh', env: {API_TOKEN: q7Zr2mXw9LpV4kTn8BsY}}"),
    strict("SKEP-C084", "", "  - {id: a, run: 'DB_PASSWORD=correct7horse ./migrate.sh'}"),
    strict(
        "SKEP-C084",
        "inputs: {api_key: {type: string, default: q7Zr2mXw9LpV4kTn8BsY}}",
        "  - {id: a, run: 'echo \"${{ inputs.api_key }}\"'}",
    ),
    // What can be undone.
    strict("SKEP-C085", "rollback: {enabled: true}", "  - {id: a, run: 'true'}"),
    strict(
        "SKEP-C086",
        "",
        "  - {id: a, run: 'true', rollback: {run: 'true'}}\n  - {id: b, run: 'true'}\n  - {id: c, run: 'true'}",
    ),
    strict("SKEP-C087", "", "  - {id: a, run: 'true', rollback: {run: 'true'}}\n  - {id: b, run: 'true'}"),
    // What the machine lacks.
    strict("SKEP-C090", "", "  - {id: a, shell: absent, run: 'true'}"),
    strict("SKEP-C091", "", "  - {id: a, run: 'true && absent --help'}"),
    strict("SKEP-C091", "", "  - {id: a, run: 'x=$(sudo absent)'}"),
    strict("SKEP-C092", "", "  - {id: a, run: '/opt/absent'}"),
    // Machines that cannot be reached.
    paranoid("SKEP-C100", "", "  - {id: a, uses: http, with: {url: 'https://absent.example.org/x'}}"),
    paranoid("SKEP-C100", "", "  - {id: a, run: 'curl -f http://absent.example.org:8080/ > page'}"),
    // What no simulated execution reaches.
    paranoid(
        "SKEP-C104",
        "inputs: {count: {type: integer, minimum: 1, maximum: 4, default: 2}}",
        "  - {id: a, uses: set, with: {n: '${{ inputs.count * 2 }}'}}\n  - {id: b, if: '${{ steps.a.outputs.n == 7 }}', uses: noop}",
    ),
    paranoid(
        "SKEP-C104",
        ENVIRONMENT,
        "  - {id: a, uses: set, with: {short: '${{ inputs.environment | upper }}'}}\n  - {id: b, if: \"${{ steps.a.outputs.short == 'staging' }}\", uses: noop}",
    ),
    // What nothing ends.
    paranoid(
        "SKEP-C105",
        "",
        "  - id: a\n    parallel:\n      left: [{id: b, run: 'true', on_error: skip}]\n      right: [{id: c, wait: {condition: \"${{ steps.b.status == 'completed' }}\"}}]",
    ),
    paranoid("SKEP-C106", "", "  - {id: a, approval: {message: 'Now?'}}"),
    paranoid("SKEP-C106", "", "  - {id: a, wait: {signal: paid}}"),
    // What fails by itself, or does not end.
    paranoid(
        "SKEP-C107",
        "inputs: {share: {type: integer, default: 0}}",
        "  - {id: a, uses: set, with: {each: '${{ 100 // inputs.share }}'}}",
    ),
    paranoid(
        "SKEP-C107",
        "inputs: {hosts: {type: array, default: []}}",
        "  - {id: a, uses: set, with: {first: '${{ inputs.hosts[0] }}'}}",
    ),
    paranoid(
        "SKEP-C108",
        "",
        "  - {id: a, while: '${{ index >= 0 }}', max_iterations: 90000, steps: [{id: b, uses: noop}]}",
    ),
];

fn text(head: &str, steps: &str) -> String {
    let head = if head.is_empty() { String::new() } else { format!("{head}\n") };
    format!("name: planted\ndescription: Has a fault.\n{head}steps:\n{steps}\n")
}

/// A machine that has everything but what is called `absent`.
fn machine() -> Fixed {
    let missing = ["absent", "/opt/absent"].map(str::to_owned);
    let unreachable = ["absent.example.org".to_owned()].into_iter().collect();
    Fixed { missing: missing.into_iter().collect(), unreachable, ..Fixed::default() }
}

fn look(text: &str, level: Level) -> Validation {
    let look = Look { level, strict_mode: false, path: None, arguments: Vec::new() };
    validate_closely(text, &look, &crate::catalogue::build(), None, &machine())
}

fn codes(found: &Validation) -> Vec<&'static str> {
    found.problems.iter().map(|problem| problem.code).collect()
}

#[test]
fn planted_faults_are_found_at_the_level_that_promises_it() {
    let kinds: std::collections::BTreeSet<&str> = PLANTED.iter().map(|planted| planted.code).collect();
    assert!(PLANTED.len() >= 60 && kinds.len() >= 12, "{} faults of {} kinds", PLANTED.len(), kinds.len());
    let mut misses = Vec::new();
    for Planted { level, code, head, steps } in PLANTED {
        let text = text(head, steps);
        for asked in Level::ALL {
            let found = codes(&look(&text, asked));
            if found.contains(code) != (asked >= *level) {
                misses.push(format!("{code} at {}: {found:?}\n{text}", asked.as_str()));
            }
        }
    }
    assert!(misses.is_empty(), "{}", misses.join("\n\n"));
}

fn below(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => below(&path, found),
            false if path.to_string_lossy().contains(".test.") => {}
            false => found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap())),
        }
    }
}

#[test]
fn nothing_is_wrong_with_the_examples() {
    let mut examples = Vec::new();
    below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples"), &mut examples);
    assert!(examples.len() > 10);
    for (name, text) in examples {
        for level in Level::ALL {
            let found = look(&text, level);
            let errors: Vec<_> = found.problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
            assert!(found.valid && errors.is_empty(), "{name} at {}: {errors:#?}", level.as_str());
            let doubts = ["SKEP-C036", "SKEP-C038", "SKEP-C071", "SKEP-C084", "SKEP-C104", "SKEP-C105", "SKEP-C107"];
            let wrong = found.problems.iter().find(|problem| doubts.contains(&problem.code));
            assert!(wrong.is_none(), "{name} at {}: {wrong:?}", level.as_str());
        }
    }
}

#[test]
fn what_is_right_is_left_alone() {
    for (head, steps) in [
        ("", "  - {id: a, run: 'echo \"rm -rf /\"'}"),
        ("", "  - {id: a, run: 'cat file; echo format the report'}"),
        ("", "  - {id: a, run: 'rm -r build; rm -f lock'}"),
        ("", "  - {id: a, run: 'dd if=/dev/zero of=file; echo x > /dev/null'}"),
        ("", "  - {id: a, run: 'psql -c \"select 1 -- drop table x\"'}"),
        ("", "  - {id: a, run: 'git commit -m \"drop table users\"'}"),
        ("", "  - id: a\n    run: |\n      cat <<SQL > file\n      DROP TABLE users;\n      SQL"),
        ("", "  - {id: a, uses: sql, with: {database: x.db, query: \"select 'drop table x'\"}}"),
        ("", "  - {id: a, uses: hv-sync, approve: before}"),
        ("category: security", "  - {id: ask, approval: {message: Now?}}\n  - {id: a, uses: noop}"),
        ("", "  - {id: a, run: './push.sh', env: {TOKEN: \"${{ inputs.x }}\"}}"),
        ("", "  - {id: a, run: './push.sh', env: {IMAGE_TOKEN: 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12}}"),
        ("", "  - {id: a, run: 'true', rollback: {run: 'true'}}"),
        ("", "  - {id: a, run: 'if command -v absent; then absent; fi'}"),
        ("", "  - {id: a, run: 'absent() { true; }; absent'}"),
        ("", "  - {id: a, run: 'ssh web-1 absent'}"),
        ("", "  - {id: a, run: 'PATH=/opt:$PATH; absent'}"),
        ("", "  - {id: a, run: './absent; $TOOL absent'}"),
        ("", "  - {id: a, approval: {message: Now?, timeout: 3d}}\n  - {id: b, wait: {for: 5s}}"),
        (ENVIRONMENT, "  - {id: a, if: \"${{ inputs.environment != 'staging' }}\", uses: noop}"),
        (
            TEXT_AND_COUNT,
            "  - {id: a, if: \"${{ inputs.count > 1 and inputs.count < 5 and inputs.on and inputs.host != '' }}\", uses: noop}",
        ),
        ("", "  - {id: a, run: 'true'}\n  - {id: b, if: \"${{ steps.a.outputs.exit_code == 0 }}\", uses: noop}"),
        (
            "",
            "  - {id: a, run: 'true'}\n  - {id: b, if: \"${{ steps.a.status in ['completed', 'skipped'] }}\", uses: noop}",
        ),
    ] {
        let found = look(&text(head, steps), Level::Strict);
        let expected = ["SKEP-C006", "SKEP-C030", "SKEP-C040"];
        let others: Vec<_> = found.problems.iter().filter(|problem| !expected.contains(&problem.code)).collect();
        assert!(others.is_empty(), "{head}\n{steps}\n{others:#?}");
    }
}

#[test]
fn the_load_of_the_machine_has_its_thresholds() {
    let fine =
        Load { memory_percent: Some(90.0), cpu_percent: Some(90.0), disk_percent: Some(85.0), ..Load::default() };
    let text = text("", "  - {id: a, uses: noop}");
    for (load, expect) in [
        (fine, None),
        (Load::default(), None),
        (Load { memory_percent: Some(90.5), ..fine }, Some(("SKEP-C093", Severity::Warning))),
        (Load { cpu_percent: Some(150.0), ..fine }, Some(("SKEP-C094", Severity::Warning))),
        (Load { disk_percent: Some(86.0), ..fine }, Some(("SKEP-C095", Severity::Warning))),
        (Load { disk_percent: Some(95.5), ..fine }, Some(("SKEP-C095", Severity::Error))),
    ] {
        let machine = Fixed { load, ..Fixed::default() };
        let at = |level| {
            let look = Look { level, strict_mode: false, path: None, arguments: Vec::new() };
            let found = validate_closely(&text, &look, &crate::catalogue::build(), None, &machine).problems;
            found.first().map(|problem| (problem.code, problem.severity))
        };
        assert_eq!(at(Level::Strict), expect, "{load:?}");
        assert_eq!(at(Level::Standard), None, "only strict asks the machine");
    }
}

#[test]
fn a_warning_blocks_in_strict_mode_only_and_confidence_is_told() {
    let text = text("", "  - {id: a, run: 'rm -rf build'}");
    let found = |strict_mode| {
        let look = Look { level: Level::Strict, strict_mode, path: None, arguments: Vec::new() };
        validate_closely(&text, &look, &crate::catalogue::build(), None, &machine())
    };
    assert_eq!([found(false).valid, found(true).valid], [true, false]);
    assert_eq!(found(false).confidence, 1.0, "22 checks weigh more than a warning");
    assert_eq!(found(false).checks_performed.len(), 22);
    assert_eq!(found(false).metadata["rollback"]["cannot_be_undone"], serde_json::json!(["a"]));
}

#[test]
fn a_secret_is_never_shown() {
    let secret = "q7Zr2mXw9LpV4kTn8BsY";
    let text = text("", &format!("  - {{id: a, run: 'rm -rf build', env: {{API_TOKEN: {secret}}}}}"));
    let found = look(&text, Level::Strict);
    assert!(codes(&found).contains(&"SKEP-C084"));
    let shown = skep_definition::diagnostic::render(&found.problems, &text, "flow.yaml", false);
    let json = skep_definition::diagnostic::to_json(&found.problems, "flow.yaml").to_string();
    assert!(!shown.contains(secret) && !json.contains(secret), "{shown}\n{json}");
}

/// The codes of the problems that keep a start from happening; none if it happens.
fn start(config: &str, text: &str) -> Vec<&'static str> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("config.toml"), config).unwrap();
    let node = open_with(directory.path(), Config::load(directory.path()).unwrap());
    let refused = match node.start(request(text)) {
        Ok(_) => Vec::new(),
        Err(crate::Error::InvalidDefinition { problems, .. }) => {
            problems.iter().filter(|problem| problem.severity == Severity::Error).map(|problem| problem.code).collect()
        }
        Err(error) => panic!("{error}"),
    };
    node.close();
    refused
}

#[test]
fn a_start_is_validated_as_the_configuration_says() {
    let wrong = text("", "  - {id: a, uses: log, with: {message: hello, level: loud}}");
    let doubtful = text("", "  - {id: a, if: 'false', uses: noop}");
    let secret = text("", "  - {id: a, uses: noop, with: {api_key: q7Zr2mXw9LpV4kTn8BsY}}");
    let absent = text("", "  - {id: a, shell: no-such-interpreter, run: 'true'}");
    for (config, definition, expect) in [
        ("", &wrong, &["SKEP-C031"][..]),
        ("", &doubtful, &[]),
        ("[validation]\nauto_validate = false", &wrong, &[]),
        ("[validation]\nlevel = 'basic'", &wrong, &[]),
        ("[validation]\nstrict_mode = true", &doubtful, &["SKEP-C036"]),
        ("[validation]\nlevel = 'strict'", &secret, &[]),
        ("[validation]\nlevel = 'strict'\nstrict_mode = true", &secret, &["SKEP-C084"]),
        ("", &absent, &[]),
        ("[validation]\nlevel = 'strict'", &absent, &["SKEP-C090"]),
    ] {
        assert_eq!(start(config, definition), expect, "{config}\n{definition}");
    }
}

#[test]
fn a_level_that_is_none_is_refused_with_the_levels() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("config.toml"), "[validation]\nlevel = 'harsh'").unwrap();
    let error = Config::load(directory.path()).unwrap_err().to_string();
    assert!(error.ends_with("validation.level is one of basic, standard, strict, paranoid, not \"harsh\""), "{error}");
}

#[test]
fn what_was_found_is_kept_per_version() {
    let directory = tempfile::tempdir().unwrap();
    let node = open_with(directory.path(), Config::default());
    let add = |text: &str| {
        node.add_workflow(text.to_owned(), None, Some("a".to_owned()), super::ada()).unwrap();
    };
    let validate =
        |version, level| node.validate_workflow("a", version, (level, None), None, Vec::new()).unwrap().validation;
    add(&text("", "  - {id: a, uses: noop}"));
    add(&text("", "  - {id: a, if: 'false', uses: noop}"));
    assert_eq!(validate(None, None).count(Severity::Warning), 1);
    assert_eq!(validate(Some(1), Some(Level::Basic)).count(Severity::Warning), 0);
    assert_eq!(validate(Some(1), None).level, Level::Standard);
    let kept = |version| {
        let (path, number, found) = node.reading().validations("a", version).unwrap();
        let levels = found.iter().map(|one| format!("{} {}", one["level"].as_str().unwrap(), one["warnings"]));
        format!("{path} {number}: {}", levels.collect::<Vec<_>>().join(", "))
    };
    assert_eq!(kept(None), "a 2: standard 1");
    assert_eq!(kept(Some(1)), "a 1: standard 0, basic 0");
    node.close();
}
