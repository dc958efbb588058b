//! The loop that reads a nested type: one step per type, an explicit stack of open brackets, no recursion.

use std::borrow::Cow;

use super::scan::{Backslash, Class, Cursor, class, lower};
use super::siblings::{self, NameFilter, Verdict};
use super::{COLUMN_LEVEL_MAX, Field, Parsed, TYPE_NODES_MAX, TypeError, TypeErrorKind};

/// Open brackets kept without allocating.
const INLINE_FRAMES: usize = 8;

/// What an opening bracket belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Array,
    Map,
    Struct,
    /// Trino's `row`, whose fields may lack names.
    Row,
    /// Unions and generic types that nobody knows: read, but no columns come out of them.
    Opaque,
}

/// Whose children the fields of a struct are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Column,
    Field(u32),
    /// Map keys, union members and everything below the deepest level.
    Nobody,
}

#[derive(Clone, Copy)]
struct Frame {
    shape: Shape,
    closer: u8,
    owner: Owner,
    /// Whose fields come out of the type that is being read right now.
    current: Owner,
    /// Types finished inside this bracket.
    parts: u32,
    /// Where the current field's name starts, unless it is quoted.
    name_start: Option<u32>,
    type_start: u32,
    names: NameFilter,
}

impl Frame {
    const EMPTY: Self = Self::new(Shape::Opaque, 0, Owner::Nobody);

    const fn new(shape: Shape, closer: u8, owner: Owner) -> Self {
        let current = match shape {
            Shape::Array => owner,
            Shape::Map | Shape::Struct | Shape::Row | Shape::Opaque => Owner::Nobody,
        };
        Self { shape, closer, owner, current, parts: 0, name_start: None, type_start: 0, names: NameFilter::EMPTY }
    }

    fn is_struct(&self) -> bool {
        matches!(self.shape, Shape::Struct | Shape::Row)
    }
}

/// A stack whose first entries live in place.
struct Frames {
    inline: [Frame; INLINE_FRAMES],
    spilled: Vec<Frame>,
    length: usize,
}

impl Frames {
    fn push(&mut self, frame: Frame) {
        match self.inline.get_mut(self.length) {
            Some(slot) => *slot = frame,
            None => self.spilled.push(frame),
        }
        self.length += 1;
    }

    fn pop(&mut self) {
        self.length = self.length.saturating_sub(1);
        self.spilled.pop();
    }

    #[inline]
    fn top(&mut self) -> Option<&mut Frame> {
        if self.spilled.is_empty() {
            let top = self.length.checked_sub(1)?;
            return self.inline.get_mut(top);
        }
        self.spilled.last_mut()
    }
}

/// What comes after a finished type.
enum Next {
    Type,
    End,
}

pub(super) struct Machine<'a, 'f> {
    cursor: Cursor<'a>,
    fields: &'f mut Vec<Field<'a>>,
    frames: Frames,
    data_type: Cow<'a, str>,
    children: u32,
    nodes: u32,
    depth_cut: bool,
    duplicate_field: bool,
    /// Some struct is too wide for comparing its names one by one.
    wide: bool,
}

impl<'a, 'f> Machine<'a, 'f> {
    /// `text` is neither empty nor longer than 4 GiB; `fields` is empty.
    pub(super) fn new(text: &'a str, fields: &'f mut Vec<Field<'a>>) -> Self {
        let frames = Frames { inline: [Frame::EMPTY; INLINE_FRAMES], spilled: Vec::new(), length: 0 };
        Self {
            cursor: Cursor::new(text),
            fields,
            frames,
            data_type: Cow::Borrowed(""),
            children: 0,
            nodes: 0,
            depth_cut: false,
            duplicate_field: false,
            wide: false,
        }
    }

    pub(super) fn run(mut self) -> Result<Parsed<'a>, TypeError> {
        loop {
            let closed_type = self.head()?;
            if closed_type && matches!(self.finish_type()?, Next::End) {
                break;
            }
        }
        if self.wide {
            self.duplicate_field = siblings::mark_all(self.fields);
        }
        Ok(Parsed {
            data_type: self.data_type,
            children: self.children,
            depth_cut: self.depth_cut,
            duplicate_field: self.duplicate_field,
            error: None,
        })
    }

    /// Reads the start of a type: a whole primitive (then `true`), or a word and its opening bracket.
    fn head(&mut self) -> Result<bool, TypeError> {
        self.nodes += 1;
        if self.nodes > TYPE_NODES_MAX {
            return Err(self.cursor.fault(TypeErrorKind::TooManyNodes));
        }
        self.cursor.skip_space();
        let start = self.cursor.at;
        if let Some(frame) = self.frames.top() {
            frame.type_start = narrow(start);
        }
        let (word, upper) = self.cursor.word();
        if word.is_empty() {
            return Err(self.type_missing());
        }
        let name = if upper { lower(word) } else { Cow::Borrowed(word) };
        if matches!(self.cursor.peek(), Some(b',' | b'>' | b')')) {
            self.name_type(name);
            return Ok(true);
        }
        let end = self.cursor.at;
        self.cursor.skip_space();
        if let Some((shape, closer)) = self.container(&name) {
            self.cursor.at += 1;
            return self.open(shape, closer, name);
        }
        self.cursor.at = end;
        let name = self.cursor.primitive_tail(start)?;
        self.name_type(name);
        Ok(true)
    }

    fn type_missing(&mut self) -> TypeError {
        let closing = matches!(self.cursor.peek(), Some(b'>' | b')'));
        let outermost = self.frames.top().is_none();
        let kind = if closing && outermost { TypeErrorKind::ExtraClosing } else { TypeErrorKind::TypeExpected };
        self.cursor.fault(kind)
    }

    /// The container that the bracket under the cursor opens, given the lower-case word before it.
    fn container(&self, name: &str) -> Option<(Shape, u8)> {
        let closer = match self.cursor.peek() {
            Some(b'<') => b'>',
            Some(b'(') => b')',
            _ => return None,
        };
        let shape = match name {
            "array" | "list" => Shape::Array,
            "map" => Shape::Map,
            "struct" => Shape::Struct,
            "row" => Shape::Row,
            "uniontype" => Shape::Opaque,
            _ if closer == b'>' => Shape::Opaque,
            _ => return None,
        };
        Some((shape, closer))
    }

    /// Enters a bracket. `true` when it is a struct without fields, which is finished at once.
    fn open(&mut self, shape: Shape, closer: u8, name: Cow<'a, str>) -> Result<bool, TypeError> {
        let owner = self.frames.top().map_or(Owner::Column, |frame| frame.current);
        self.name_type(name);
        let frame = Frame::new(shape, closer, owner);
        let is_struct = frame.is_struct();
        if is_struct {
            self.cursor.skip_space();
            if self.cursor.peek() == Some(closer) {
                self.cursor.at += 1;
                return Ok(true);
            }
        }
        self.frames.push(frame);
        if is_struct {
            self.field_name()?;
        }
        Ok(false)
    }

    /// Gives the base type to the column or field whose own type starts here; types inside arrays, maps and
    /// unions belong to none.
    #[inline]
    fn name_type(&mut self, name: Cow<'a, str>) {
        let Some(frame) = self.frames.top() else {
            self.data_type = name;
            return;
        };
        if frame.is_struct()
            && let Owner::Field(index) = frame.current
            && let Some(field) = self.fields.get_mut(index as usize)
        {
            field.type_name = name;
        }
    }

    /// Reads a field's name up to where its type starts, and adds the field.
    fn field_name(&mut self) -> Result<(), TypeError> {
        self.cursor.skip_space();
        let start = self.cursor.at;
        let (name, name_start) = match self.cursor.peek() {
            Some(b'`' | b'"') => (self.quoted_name()?, None),
            _ => (self.plain_name()?, Some(narrow(start))),
        };
        if name.is_empty() {
            return Err(self.cursor.fault_at(start, TypeErrorKind::NameExpected));
        }
        self.add_field(name, name_start);
        Ok(())
    }

    fn quoted_name(&mut self) -> Result<Cow<'a, str>, TypeError> {
        let name = self.cursor.quoted(Backslash::Plain)?;
        self.cursor.skip_space();
        if self.cursor.peek() == Some(b':') {
            self.cursor.at += 1;
        }
        Ok(name)
    }

    /// `name:` or, as Trino and Spark DDL write it, `name` and a space. A row may leave the name out.
    fn plain_name(&mut self) -> Result<Cow<'a, str>, TypeError> {
        let start = self.cursor.at;
        let (shape, closer, parts) =
            self.frames.top().map_or((Shape::Opaque, 0, 0), |frame| (frame.shape, frame.closer, frame.parts));
        let end = self.cursor.name_end(closer);
        let text = self.cursor.slice(start, end);
        if self.cursor.byte_at(end) == Some(b':') {
            self.cursor.at = end + 1;
            return Ok(Cow::Borrowed(trim(text)));
        }
        let first = text.bytes().position(|byte| class(byte) == Class::Space).unwrap_or(text.len());
        if !trim(text.get(first..).unwrap_or_default()).is_empty() {
            self.cursor.at = start + first;
            return Ok(Cow::Borrowed(text.get(..first).unwrap_or_default()));
        }
        if text.is_empty() {
            return Err(self.cursor.fault(TypeErrorKind::NameExpected));
        }
        if shape == Shape::Row {
            return Ok(Cow::Owned(format!("field{parts}")));
        }
        Err(self.cursor.fault_at(end, TypeErrorKind::ColonExpected))
    }

    fn add_field(&mut self, name: Cow<'a, str>, name_start: Option<u32>) {
        let index = narrow(self.fields.len());
        let Some(frame) = self.frames.top() else { return };
        frame.name_start = name_start;
        let owner = frame.owner;
        let (parent, depth, order) = match owner {
            Owner::Nobody => return,
            Owner::Column => {
                self.children += 1;
                (None, 2, self.children)
            }
            Owner::Field(parent) => {
                let Some(above) = self.fields.get_mut(parent as usize) else { return };
                if above.depth >= COLUMN_LEVEL_MAX {
                    self.depth_cut = true;
                    return;
                }
                above.children += 1;
                (Some(parent), above.depth + 1, above.children)
            }
        };
        if let Some(frame) = self.frames.top() {
            frame.current = Owner::Field(index);
        }
        let type_name = Cow::Borrowed("");
        self.fields.push(Field { name, raw_type: "", type_name, parent, depth, order, children: 0, duplicate: false });
    }

    /// Closes the type that ends at the cursor, and every bracket that ends with it.
    fn finish_type(&mut self) -> Result<Next, TypeError> {
        loop {
            let end = self.cursor.at;
            if !matches!(self.cursor.peek(), Some(b',' | b'>' | b')' | b':')) {
                self.cursor.skip_suffixes()?;
            }
            let found = self.cursor.peek();
            let Some(frame) = self.frames.top() else {
                return self.end_of_text();
            };
            let frame = *frame;
            if frame.is_struct() && found == Some(b':') {
                return self.extend_name(&frame, end);
            }
            self.finish_part(&frame, end);
            match found {
                Some(b',') => {
                    self.cursor.at += 1;
                    return self.next_part(&frame);
                }
                Some(byte) if byte == frame.closer => self.close(&frame)?,
                _ => return Err(self.cursor.fault(TypeErrorKind::CommaOrCloseExpected)),
            }
        }
    }

    fn end_of_text(&self) -> Result<Next, TypeError> {
        match self.cursor.peek() {
            None => Ok(Next::End),
            Some(b'>' | b')') => Err(self.cursor.fault(TypeErrorKind::ExtraClosing)),
            Some(_) => Err(self.cursor.fault(TypeErrorKind::TrailingText)),
        }
    }

    /// In `a:b:int` the text read as a type was the rest of the name.
    fn extend_name(&mut self, frame: &Frame, end: usize) -> Result<Next, TypeError> {
        let colon = self.cursor.at;
        let type_text = self.cursor.slice(frame.type_start as usize, end);
        let Some(start) = frame.name_start else {
            return Err(self.cursor.fault(TypeErrorKind::CommaOrCloseExpected));
        };
        if !type_text.bytes().all(|byte| matches!(class(byte), Class::Word | Class::Upper)) {
            return Err(self.cursor.fault(TypeErrorKind::CommaOrCloseExpected));
        }
        if let Owner::Field(index) = frame.current
            && let Some(field) = self.fields.get_mut(index as usize)
        {
            field.name = Cow::Borrowed(self.cursor.slice(start as usize, end));
        }
        self.cursor.at = colon + 1;
        Ok(Next::Type)
    }

    /// Completes the field whose type ended at `end`.
    fn finish_part(&mut self, frame: &Frame, end: usize) {
        if !frame.is_struct() {
            return;
        }
        let Owner::Field(index) = frame.current else { return };
        let Some(field) = self.fields.get_mut(index as usize) else { return };
        field.raw_type = self.cursor.slice(frame.type_start as usize, end);
        let Some(top) = self.frames.top() else { return };
        if top.names.insert(&field.name) && !self.wide {
            match siblings::compare(self.fields, index as usize) {
                Verdict::Unique => {}
                Verdict::Duplicate => self.mark_duplicate(index as usize),
                Verdict::Unknown => self.wide = true,
            }
        }
    }

    fn mark_duplicate(&mut self, index: usize) {
        self.duplicate_field = true;
        if let Some(field) = self.fields.get_mut(index) {
            field.duplicate = true;
        }
    }

    /// Moves on behind a comma.
    fn next_part(&mut self, frame: &Frame) -> Result<Next, TypeError> {
        let Some(top) = self.frames.top() else { return Ok(Next::End) };
        top.parts += 1;
        match frame.shape {
            Shape::Array => return Err(self.cursor.fault_at(self.cursor.at - 1, TypeErrorKind::CommaOrCloseExpected)),
            Shape::Map if frame.parts > 0 => return Err(self.cursor.fault_at(self.cursor.at - 1, TypeErrorKind::MapArity)),
            Shape::Map => top.current = top.owner,
            Shape::Struct | Shape::Row => {
                top.current = Owner::Nobody;
                self.field_name()?;
            }
            Shape::Opaque => {}
        }
        Ok(Next::Type)
    }

    fn close(&mut self, frame: &Frame) -> Result<(), TypeError> {
        if frame.shape == Shape::Map && frame.parts != 1 {
            return Err(self.cursor.fault(TypeErrorKind::MapArity));
        }
        self.cursor.at += 1;
        self.frames.pop();
        Ok(())
    }
}

/// Spaces as the grammar knows them, so that no other character is lost from a name.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}'])
}

/// Positions and counts fit: the text is bounded by `TYPE_BYTES_MAX`.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
