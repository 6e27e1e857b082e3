//! Keys of the mappings that belong to one kind of step, and of inputs and form fields.

use super::Type::{
    Any, Boolean, Duration, Either, Integer, Number, Object, Objects, Steps, Text, Texts, ValueMap, Values, Words,
};
use super::{Key, key};

const TIMEOUT_SECONDS: Key = key(
    "timeout_seconds",
    Integer { min: 1, max: 315_360_000 },
    "The same as a number of seconds.",
    "timeout_seconds: 3600",
);
const WAIT_TIMEOUT: Key = key("timeout", Duration, "End of the whole wait.", "timeout: 24h");
const MESSAGE: Key = key("message", Text, "What is asked: a text template.", "message: Ship it?");
const ASSIGNEE: Key = key("assignee", Text, "Who decides: a text template.", "assignee: ada@example.org");
const ESCALATE: Key =
    key("escalate", Objects(ESCALATION), "Who is told later.", "escalate: [{after: 8h, to: director@example.org}]");
const ON_TIMEOUT: Key =
    key("on_timeout", Words(&["reject", "approve", "fail"]), "What the end of the wait means.", "on_timeout: reject");
const ON_REJECT: Key = key("on_reject", Words(&["fail", "continue"]), "What a no means.", "on_reject: continue");
const ORDER: Key =
    key("order", Words(&["sequence", "graph"]), "One step after another, or by `depends_on`.", "order: graph");

/// Keys of `approval`.
pub const APPROVAL: &[Key] = &[MESSAGE, ASSIGNEE, WAIT_TIMEOUT, TIMEOUT_SECONDS, ESCALATE, ON_TIMEOUT, ON_REJECT];

/// Keys of `approve` in its long form.
pub const GATE: &[Key] = &[
    key("when", Words(&["before", "after"]), "Before it acts, or about its result.", "when: before").required(),
    MESSAGE,
    ASSIGNEE,
    WAIT_TIMEOUT,
    TIMEOUT_SECONDS,
    ESCALATE,
    ON_TIMEOUT,
    ON_REJECT,
];

/// Keys of an entry of `escalate`.
pub const ESCALATION: &[Key] = &[
    key("after", Duration, "From the start of the wait.", "after: 8h").required(),
    key("to", Text, "Who is told: a text template.", "to: director@example.org").required(),
];

/// Keys of `wait`.
pub const WAIT: &[Key] = &[
    key("for", Text, "A length of time: a text template.", "for: 10m"),
    key("until", Text, "A moment in RFC 3339: a text template.", "until: 2026-12-01T00:00:00Z"),
    key("signal", Text, "Name of a signal: a text template.", "signal: deployed"),
    key("condition", Text, "Asked again and again until it holds: a template.", "condition: ${{ inputs.ready }}"),
    key("every", Duration, "Pause between two askings of `condition`.", "every: 10s"),
    WAIT_TIMEOUT,
    TIMEOUT_SECONDS,
];

/// Keys of `switch`.
pub const SWITCH: &[Key] = &[
    key("cases", Objects(CASE), "Tried in order.", "cases: [{when: \"${{ inputs.n > 2 }}\", steps: [..]}]").required(),
    key("default", Steps, "If none holds.", "default: [{id: other, run: ./other.sh}]"),
];

/// Keys of a case.
pub const CASE: &[Key] = &[
    key("when", Text, "The case is taken if this holds.", "when: ${{ inputs.n > 2 }}").required(),
    ORDER,
    key("steps", Steps, "What it does.", "steps: [{id: big, run: ./big.sh}]").required(),
];

/// Keys of a branch in its long form.
pub const BRANCH: &[Key] =
    &[ORDER, key("steps", Steps, "What it does.", "steps: [{id: left, run: ./left.sh}]").required()];

/// Keys of `repeat`.
pub const REPEAT: &[Key] = &[
    key("times", Text, "How often: a number, or a template that gives one.", "times: 3"),
    key("until", Text, "Asked after each round: a template.", "until: ${{ steps.probe.outputs.json.ready }}"),
];

/// Keys of `agent`.
pub const AGENT: &[Key] = &[
    key("name", Text, "Which one.", "name: web-1"),
    key("capabilities", Texts, "What it has to be able to do.", "capabilities: [database_ops]"),
    key("task", Text, "What to do: a text template.", "task: optimise tables"),
    key("description", Text, "For people.", "description: Optimises."),
    key("with", ValueMap, "Arguments: templates.", "with: {table: users}"),
    key("priority", Text, "critical, high, medium, low, or a number.", "priority: high"),
    key("output_schema", Either(&[Boolean, ValueMap]), "JSON Schema of its answer.", "output_schema: {type: object}"),
];

/// Keys of `ai`.
pub const AI: &[Key] = &[
    key("prompt", Text, "What is asked: a text template.", "prompt: Which of these is urgent?").required(),
    key("system", Text, "Who it is: a text template.", "system: You triage incidents."),
    key("model", Text, "Which model.", "model: default"),
    key("tools", Values, "What it may call.", "tools: [list_agents]"),
    key("output_schema", Either(&[Boolean, ValueMap]), "JSON Schema of its answer.", "output_schema: {type: object}"),
    key("budget", Object(BUDGET), "What it may use up.", "budget: {tokens: 20000}"),
    key("temperature", Number, "How much chance.", "temperature: 0"),
    key("context", Any, "What it is shown: templates.", "context: {log: \"${{ steps.build.outputs.stdout }}\"}"),
    key("with", ValueMap, "The same under another name.", "with: {log: x}"),
];

/// Keys of `ai.budget`.
const BUDGET: &[Key] = &[
    key("tokens", Integer { min: 1, max: i64::MAX }, "Tokens in all.", "tokens: 20000"),
    key("turns", Integer { min: 1, max: 10_000 }, "Turns with tools.", "turns: 10"),
    key("cost", Number, "In the currency of the provider.", "cost: 0.5"),
    key("time", Duration, "In all.", "time: 5m"),
];

/// Keys of `workflow` as a step.
pub const CALL: &[Key] = &[
    key("name", Text, "Which one: a name or a path.", "name: other").required(),
    key("inputs", ValueMap, "Its inputs: templates.", "inputs: {n: 1}"),
    key("version", Text, "Which version.", "version: 1.2.0"),
];

/// Words of `type` in an input or a form field.
const INPUT_TYPES: &[&str] = &[
    "string", "number", "integer", "boolean", "array", "object", "null", "text", "choice", "date", "secret", "email",
    "url", "hostname",
];

const COUNT: super::Type = Integer { min: 0, max: i64::MAX };

/// Keys of an input, or of a form field: JSON Schema's, and a few for people.
pub const INPUT: &[Key] = &[
    key("type", Either(&[Words(INPUT_TYPES), Texts]), "What it is.", "type: string"),
    key("required", Boolean, "Must be given.", "required: true"),
    key("default", Any, "Used when not given.", "default: staging"),
    key("description", Text, "For people.", "description: Where to deploy."),
    key("label", Text, "Above the field of a form.", "label: Which branch?"),
    key("title", Text, "For people.", "title: Branch"),
    key("placeholder", Text, "In the empty field of a form.", "placeholder: main"),
    key("help_text", Text, "Below the field of a form.", "help_text: The name without the domain."),
    key("choices", Values, "What can be chosen.", "choices: [main, next]"),
    key("enum", Values, "What is allowed.", "enum: [staging, production]"),
    key("const", Any, "The only value allowed.", "const: 1"),
    key("examples", Values, "For people.", "examples: [web-1]"),
    key("pattern", Text, "Regular expression that a text matches.", "pattern: \"^[a-z]+$\""),
    key("format", Text, "Format of a text.", "format: uri"),
    key("minLength", COUNT, "Least number of characters.", "minLength: 1"),
    key("maxLength", COUNT, "Greatest number of characters.", "maxLength: 64"),
    key("minimum", Number, "Least number.", "minimum: 1"),
    key("maximum", Number, "Greatest number.", "maximum: 10"),
    key("exclusiveMinimum", Number, "Greater than this.", "exclusiveMinimum: 0"),
    key("exclusiveMaximum", Number, "Less than this.", "exclusiveMaximum: 10"),
    key("multipleOf", Number, "A multiple of this.", "multipleOf: 5"),
    key("items", Any, "Schema of the items of an array.", "items: {type: string}"),
    key("prefixItems", Values, "Schemas of the first items of an array.", "prefixItems: [{type: string}]"),
    key("contains", Any, "Schema that one item matches.", "contains: {type: string}"),
    key("minItems", COUNT, "Least number of items.", "minItems: 1"),
    key("maxItems", COUNT, "Greatest number of items.", "maxItems: 10"),
    key("uniqueItems", Boolean, "No item twice.", "uniqueItems: true"),
    key("properties", ValueMap, "Schemas of an object's properties.", "properties: {host: {type: string}}"),
    key(
        "patternProperties",
        ValueMap,
        "Schemas of an object's properties by pattern.",
        "patternProperties: {\"^x-\": {}}",
    ),
    key("additionalProperties", Any, "Schema of an object's other properties.", "additionalProperties: false"),
    key("propertyNames", Any, "Schema of an object's names.", "propertyNames: {pattern: \"^[a-z]+$\"}"),
    key("minProperties", COUNT, "Least number of properties.", "minProperties: 1"),
    key("maxProperties", COUNT, "Greatest number of properties.", "maxProperties: 10"),
    key("anyOf", Values, "At least one of these schemas.", "anyOf: [{type: string}]"),
    key("oneOf", Values, "Exactly one of these schemas.", "oneOf: [{type: string}]"),
    key("allOf", Values, "All of these schemas.", "allOf: [{type: string}]"),
    key("not", Any, "Not this schema.", "not: {type: string}"),
    key("deprecated", Boolean, "Still read, no longer wanted.", "deprecated: true"),
];
