//! The libraries in other languages are there.

use spaceport_testkit::foreign::{node, python};

#[test]
fn python_reads_its_input_and_has_its_packages() {
    let program = "import sys, standardwebhooks; print(sys.stdin.read().upper(), end='')";
    assert_eq!(python(program, "a b"), "A B");
}

#[test]
fn node_reads_its_input_and_has_its_packages() {
    let program =
        "require('standardwebhooks'); process.stdout.write(require('fs').readFileSync(0, 'utf8').toUpperCase())";
    assert_eq!(node(program, "a b"), "A B");
}

#[test]
#[should_panic(expected = "ValueError: told so")]
fn a_program_that_fails_fails_its_test_with_what_it_said() {
    python("raise ValueError('told so')", "");
}
