use super::*;
use crate::samples::{after, graph, parallel, rich, run, workflow};

#[test]
fn the_tree_reads_well() {
    insta::assert_snapshot!(text(&rich()), @r#"
    release 1.2.0
    Build, ask, roll out.
    inputs: repository, environment, hosts
    ├─ build    run ./build.sh "${{ inputs.repository }}" … · 5 attempts
    ├─ notify   uses http · on error skip
    ├─ gate     approval by manager@example.org · if inputs.environment == 'production'
    ├─ rollout  foreach inputs.hosts, 2 at a time
    │  ├─ deploy  run ./deploy.sh "${{ item }}" · approve before
    │  └─ probe   run ./probe.sh ${{ index }}
    ├─ both     parallel, the first one counts
    │  ├─ left
    │  │  └─ l  run ./l.sh
    │  └─ right
    │     ├─ r1  run ./r.sh
    │     └─ r2  run ./r.sh
    ├─ choose   switch
    │  ├─ when steps.l.status == 'completed'
    │  │  └─ note  uses noop
    │  └─ default
    │     └─ pause  wait for 10m
    └─ finally
       └─ report  run ./report.sh "${{ execution.status }}" · if always()
    "#);
}

#[test]
fn mermaid_is_escaped_and_nested() {
    insta::assert_snapshot!(mermaid(&rich()), @r#"
    flowchart TD
      s0["build<br/>run ./build.sh #quot;${{ inputs.repository }}#quot; …<br/>5 attempts"]
      s1["notify<br/>uses http<br/>on error skip"]
      s2("gate<br/>approval by manager@example.org<br/>if inputs.environment == 'production'")
      subgraph s3["rollout<br/>foreach inputs.hosts, 2 at a time"]
        s4["deploy<br/>run ./deploy.sh #quot;${{ item }}#quot;<br/>approve before"]
        s5["probe<br/>run ./probe.sh ${{ index }}"]
        s4 --> s5
      end
      subgraph s6["both<br/>parallel, the first one counts"]
        subgraph l2["left"]
          s7["l<br/>run ./l.sh"]
        end
        subgraph l3["right"]
          s8["r1<br/>run ./r.sh"]
          s9["r2<br/>run ./r.sh"]
          s8 --> s9
        end
      end
      subgraph s10["choose<br/>switch"]
        subgraph l4["when steps.l.status == 'completed'"]
          s11["note<br/>uses noop"]
        end
        subgraph l5["default"]
          s12(["pause<br/>wait for 10m"])
        end
      end
      s0 --> s1
      s1 --> s2
      s2 --> s3
      s3 --> s6
      s6 --> s10
      subgraph finally["finally"]
        s13["report<br/>run ./report.sh #quot;${{ execution.status }}#quot;<br/>if always()"]
      end
      s10 -.-> finally
    "#);
}

#[test]
fn dot_is_escaped_and_nested() {
    insta::assert_snapshot!(dot(&rich()), @r#"
    digraph "release" {
      compound=true;
      node [shape=box, style=rounded];
      s0 [label="build\nrun ./build.sh \"${{ inputs.repository }}\" …\n5 attempts"];
      s1 [label="notify\nuses http\non error skip"];
      s2 [label="gate\napproval by manager@example.org\nif inputs.environment == 'production'", shape=ellipse];
      subgraph cluster_s3 {
        label="rollout";
        s3 [label="rollout\nforeach inputs.hosts, 2 at a time", shape=hexagon];
        s4 [label="deploy\nrun ./deploy.sh \"${{ item }}\"\napprove before"];
        s5 [label="probe\nrun ./probe.sh ${{ index }}"];
        s4 -> s5;
        s3 -> s4;
      }
      subgraph cluster_s6 {
        label="both";
        s6 [label="both\nparallel, the first one counts", shape=parallelogram];
        subgraph cluster_l2 {
          label="left";
          s7 [label="l\nrun ./l.sh"];
        }
        s6 -> s7;
        subgraph cluster_l3 {
          label="right";
          s8 [label="r1\nrun ./r.sh"];
          s9 [label="r2\nrun ./r.sh"];
          s8 -> s9;
        }
        s6 -> s8;
      }
      subgraph cluster_s10 {
        label="choose";
        s10 [label="choose\nswitch", shape=diamond];
        subgraph cluster_l4 {
          label="when steps.l.status == 'completed'";
          s11 [label="note\nuses noop"];
        }
        s10 -> s11;
        subgraph cluster_l5 {
          label="default";
          s12 [label="pause\nwait for 10m", shape=octagon];
        }
        s10 -> s12;
      }
      s0 -> s1;
      s1 -> s2;
      s2 -> s3 [lhead=cluster_s3];
      s3 -> s6 [ltail=cluster_s3, lhead=cluster_s6];
      s6 -> s10 [ltail=cluster_s6, lhead=cluster_s10];
      subgraph cluster_finally {
        label="finally";
        s13 [label="report\nrun ./report.sh \"${{ execution.status }}\"\nif always()"];
      }
      s10 -> s13 [style=dotted, lhead=cluster_finally, ltail=cluster_s10];
    }
    "#);
}

#[test]
fn a_graph_follows_its_dependencies() {
    let diamond = graph(vec![
        run("a", "1"),
        after(run("b", "2"), &["a"]),
        after(parallel("c", vec![("x", vec![run("y", "3")])]), &["a", "nobody"]),
        after(run("d", "4"), &["b", "c"]),
    ]);
    insta::assert_snapshot!(text(&diamond), @r#"
    sample (graph)
    ├─ a  run 1
    ├─ b  run 2 · after a
    ├─ c  parallel · after a, nobody
    │  └─ x
    │     └─ y  run 3
    └─ d  run 4 · after b, c
    "#);
    let arrows: Vec<String> =
        mermaid(&diamond).lines().filter(|line| line.contains("-->")).map(|line| line.trim().to_owned()).collect();
    assert_eq!(arrows, ["s0 --> s1", "s0 --> s2", "s1 --> s4", "s2 --> s4"]);
    assert!(dot(&diamond).contains("s0 -> s2 [lhead=cluster_s2];"));
    assert!(dot(&diamond).contains("s2 -> s4 [ltail=cluster_s2];"));
}

#[test]
fn hostile_labels_stay_inside_their_quotes() {
    let mut hostile = workflow(vec![run("x", "echo \"]; a --> b %%{init}%% `c` #quot; \\\" <script>")]);
    hostile.name = "a\"b\\\nc".to_owned();
    insta::assert_snapshot!(mermaid(&hostile), @r#"
    flowchart TD
      s0["x<br/>run echo #quot;]; a --#gt; b #37;#37;{init}#37;#37; #96;c#96; #35;quot; #92;#quot; #lt;script#gt;"]
    "#);
    insta::assert_snapshot!(dot(&hostile), @r#"
    digraph "a\"b\\\nc" {
      compound=true;
      node [shape=box, style=rounded];
      s0 [label="x\nrun echo \"]; a --> b %%{init}%% `c` #quot; \\\" <script>"];
    }
    "#);
}

#[test]
fn undoing_is_drawn() {
    let sample = crate::load::load(
        "name: undo
steps:
  - {id: a, run: ./a.sh, rollback: {run: ./undo.sh}, concurrency: {group: db}, circuit_breaker: true}
  - {id: b, run: ./b.sh, on_error: {strategy: compensate, compensation_step: back}}
  - {id: back, run: ./back.sh}
  - {id: c, run: ./c.sh, irreversible: true, on_error: {strategy: escalate, escalation_target: ops}}
",
    );
    let workflow = sample.workflow.unwrap();
    insta::assert_snapshot!(text(&workflow), @r#"
    undo
    ├─ a     run ./a.sh · 1 at a time of db · circuit breaker · undo: run ./undo.sh
    ├─ b     run ./b.sh · on error back, then undo
    ├─ back  run ./back.sh · only as a compensation
    └─ c     run ./c.sh · on error ask ops · cannot be undone
    "#);
    let drawn = mermaid(&workflow);
    assert!(drawn.contains("  s0 --> s1\n  s1 --> s3\n  s1 -. on error .-> s2\n"), "{drawn}");
    let drawn = dot(&workflow);
    assert!(drawn.contains("s1 -> s3;") && drawn.contains("s1 -> s2 [style=dotted, label=\"on error\"];"), "{drawn}");
}
