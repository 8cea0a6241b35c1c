//! From text to tree: YAML events, with everything refused that hides a mistake or costs too much.

use std::collections::HashMap;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span as RawSpan, Tag, options};

use super::diagnostic::Diagnostic;
use super::scalar;
use super::tree::{Document, Entry, Node, Place, Span, Style, Value};
use super::words::shorten;

/// The longest text that is read: a mebibyte, a hundred times a large workflow.
const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting.
const MAX_DEPTH: usize = 64;
/// The most values in one document, aliases counted as what they stand for.
const MAX_NODES: usize = 50_000;

pub(super) fn document(source: String, bytes: &[u8]) -> Result<Document, Vec<Diagnostic>> {
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, more than the {MAX_BYTES} that are read", bytes.len());
        return Err(vec![Diagnostic::new(source, "", message).at(Place { line: 1, column: 1 }, 1)]);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(vec![not_utf8(source, bytes, error.valid_up_to())]),
    };
    let options = options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut builder = Builder::new(&source, text);
    for next in Parser::new_from_str_with_options(text, options) {
        let go_on = match next {
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => builder.syntax(&error),
        };
        if !go_on {
            break;
        }
    }
    if builder.mistakes.is_empty() {
        let root = builder
            .root
            .take()
            .unwrap_or_else(|| Node::nothing(Span { start: Place { line: 1, column: 1 }, bytes: 0..0 }));
        Ok(Document { text: text.to_owned(), root, source })
    } else {
        Err(builder.mistakes)
    }
}

struct Builder<'t> {
    source: &'t str,
    text: &'t str,
    root: Option<Node>,
    open: Vec<Frame>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    documents: usize,
    mistakes: Vec<Diagnostic>,
}

/// A list or mapping whose end has not come yet.
struct Frame {
    start: Span,
    anchor: usize,
    /// The count of values before this one began.
    nodes_before: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<Entry>, keys: HashMap<String, u32>, pending: Option<Key> },
}

/// A key whose value has not come yet; without a name when it was refused.
struct Key {
    name: Option<String>,
    span: Span,
}

impl<'t> Builder<'t> {
    fn new(source: &'t str, text: &'t str) -> Self {
        Self {
            source,
            text,
            root: None,
            open: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            documents: 0,
            mistakes: Vec::new(),
        }
    }

    /// Takes one event; false when reading on makes no sense.
    fn take(&mut self, event: Event<'_>, raw: &RawSpan) -> bool {
        let span = span(raw);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.mistake(&span, "a second document begins here", "put it into a file of its own");
                    return false;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let node = self.scalar(&text, style, tag.as_deref(), span);
                return self.add(node, anchor, 1);
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), &["seq"], &span);
                return self.enter(span, anchor, Content::Sequence(Vec::new()));
            }
            Event::MappingStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), &["map"], &span);
                let content = Content::Mapping { entries: Vec::new(), keys: HashMap::new(), pending: None };
                return self.enter(span, anchor, content);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.leave(&span),
            Event::Alias(anchor) => return self.alias(anchor, &span),
            Event::UnresolvedAlias(name) => {
                let message = format!("the alias `*{}` has no anchor before it", shorten(&name));
                self.mistake(&span, &message, "put the text in quotes if a star is meant");
                return self.add(Node::nothing(span), 0, 1);
            }
            _ => {}
        }
        true
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Node {
        self.check_tag(tag, &["str", "int", "float", "bool", "null"], &span);
        let as_text = tag.is_some_and(|tag| tag.core_suffix() == Some("str"));
        let value = if style == ScalarStyle::Plain && !as_text {
            scalar::plain(text).unwrap_or_else(|reason| {
                self.mistake(&span, reason, "write a finite number");
                Value::Null
            })
        } else {
            Value::Text(text.to_owned())
        };
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        Node { value, style, ..Node::nothing(span) }
    }

    fn check_tag(&mut self, tag: Option<&Tag>, allowed: &[&str], span: &Span) {
        if let Some(tag) = tag {
            let known = tag.core_suffix().is_some_and(|suffix| allowed.contains(&suffix));
            if !known {
                let message = format!("the tag `{}{}` is not supported", tag.original_handle(), shorten(tag.suffix()));
                self.mistake(span, &message, "remove it");
            }
        }
    }

    fn enter(&mut self, start: Span, anchor: usize, content: Content) -> bool {
        if self.open.len() >= MAX_DEPTH {
            self.mistake(&start, &format!("nested deeper than {MAX_DEPTH} levels"), "write it flatter");
            return false;
        }
        self.open.push(Frame { start, anchor, nodes_before: self.nodes, content });
        true
    }

    fn leave(&mut self, end: &Span) -> bool {
        let Some(frame) = self.open.pop() else { return false };
        let value = match frame.content {
            Content::Sequence(items) => Value::Sequence(items),
            Content::Mapping { entries, .. } => Value::Mapping(entries),
        };
        let last = end.bytes.end.max(frame.start.bytes.start);
        let span = Span { start: frame.start.start, bytes: frame.start.bytes.start..last };
        let size = self.nodes - frame.nodes_before + 1;
        self.nodes += 1;
        self.add_counted(Node::collection(value, span), frame.anchor, size)
    }

    fn alias(&mut self, anchor: usize, span: &Span) -> bool {
        match self.anchors.get(&anchor) {
            Some((_, size)) if self.nodes + size > MAX_NODES => self.too_many(span),
            Some((node, size)) => {
                let (node, size) = (node.clone(), *size);
                self.add(node, 0, size)
            }
            None => {
                self.mistake(span, "the alias stands inside its own anchor", "write the value out");
                false
            }
        }
    }

    fn add(&mut self, node: Node, anchor: usize, size: usize) -> bool {
        self.nodes += size;
        if self.nodes > MAX_NODES {
            return self.too_many(&node.span);
        }
        self.add_counted(node, anchor, size)
    }

    fn add_counted(&mut self, node: Node, anchor: usize, size: usize) -> bool {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut().map(|frame| &mut frame.content) {
            None => self.root = Some(node),
            Some(Content::Sequence(items)) => items.push(Node { index: items.len(), ..node }),
            Some(Content::Mapping { entries, pending, .. }) if pending.is_some() => {
                if let Some(Key { name: Some(key), span }) = pending.take() {
                    entries.push(Entry { key, node, key_span: span });
                }
            }
            Some(Content::Mapping { keys, pending, .. }) => {
                let line = node.span.start.line;
                let (name, problem) = match key_name(&node, self.text) {
                    Ok(name) => match keys.get(&name) {
                        Some(first) => (
                            None,
                            Some((
                                format!("the key `{}` appears twice, first on line {first}", shorten(&name)),
                                "keep one of them",
                            )),
                        ),
                        None => {
                            keys.insert(name.clone(), line);
                            (Some(name), None)
                        }
                    },
                    Err((message, fix)) => (None, Some((message.to_owned(), fix))),
                };
                *pending = Some(Key { name, span: node.span.clone() });
                if let Some((message, fix)) = problem {
                    self.mistake(&node.span, &message, fix);
                }
            }
        }
        true
    }

    fn too_many(&mut self, span: &Span) -> bool {
        let message = format!("more than {MAX_NODES} values, aliases counted as what they stand for");
        self.mistake(span, &message, "split the file");
        false
    }

    fn syntax(&mut self, error: &ScanError) -> bool {
        let diagnostic = Diagnostic::new(self.source, "", format!("not valid YAML: {}", error.info()));
        self.mistakes.push(diagnostic.at(place(error.marker()), 1));
        false
    }

    fn mistake(&mut self, span: &Span, message: &str, fix: &str) {
        self.mistakes.push(Diagnostic::new(self.source, "", message).fix(fix).spanning(span, self.text));
    }
}

/// The name of a key; a number or `true` as a key is its text as written. Otherwise what is wrong, and the fix.
fn key_name(node: &Node, text: &str) -> Result<String, (&'static str, &'static str)> {
    match &node.value {
        Value::Text(name) if name == "<<" && node.style == Style::Plain => {
            Err(("merge keys (`<<`) are not supported", "write the keys out, or use an alias for a whole value"))
        }
        Value::Text(name) => Ok(name.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(node.span.first_line(text).to_owned()),
        _ => Err(("a key must be plain text", "put the key in quotes")),
    }
}

fn span(raw: &RawSpan) -> Span {
    Span { start: place(&raw.start), bytes: raw.byte_range().unwrap_or_default() }
}

fn place(marker: &Marker) -> Place {
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    Place { line: number(marker.line().max(1)), column: number(marker.col() + 1) }
}

fn not_utf8(source: String, bytes: &[u8], valid: usize) -> Diagnostic {
    let before = String::from_utf8_lossy(&bytes[..valid]);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    Diagnostic::new(source, "", "the file is not UTF-8 text")
        .fix("save it in the UTF-8 encoding")
        .at(Place { line: number(line), column: number(column) }, 1)
}
