//! Opening the inputs, and every call of an engine: the one place to look when their interfaces change.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::cli::args::Global;
use crate::cli::moved::Side;
use crate::cli::{Console, Fail};
use crate::config::{Config, Names, toml};
use crate::diag::{Diagnostic, Severity, Text};
use crate::engine::bounds::Bounds;
use crate::engine::{blockers, exfil};
use crate::explain::way::{Answer, End, Flow, Kind, Step};
use crate::explain::{copy, point, reach, world::World};
use crate::facts::estate::Estate;
use crate::facts::extract::extract;
use crate::facts::platform::Platform;
use crate::facts::{Fact, Index};
use crate::ingest::{self, Change, Input};
use crate::model::{Set, Sym};
use crate::query::DEFAULT_BUDGET;
use crate::query::derived::Derived;
use crate::query::derived_proof::HOP;
use crate::query::lint::{self, Lint};
use crate::query::relations::Relations;
use crate::query::verify::{self, Because, Finding, Report};
use crate::report::proof::Place;
use crate::report::rows::{BlockedRow, ExfilRow, ReachRow};

/// An estate that was read, with everything a command asks of it.
pub struct Opened {
    /// The resources and the facts that follow from them.
    pub estate: Estate,
    /// The facts, and those that `watertight.toml` states.
    pub index: Index,
    /// What is true of Azure.
    pub platform: &'static Platform,
    config: Option<Config>,
    stated: Vec<Fact>,
    places: Mutex<Places>,
    /// What the dataflow settles of ways out, once somebody asks.
    bounds: OnceLock<Option<Bounds>>,
}

/// The lines of places that were asked for, and the file that was read last: proofs name a place many times.
#[derive(Default)]
struct Places {
    known: FxHashMap<(Sym, String), Option<usize>>,
    open: Option<(Sym, Text<Vec<u8>>)>,
}

impl Places {
    fn line(&mut self, file: Sym, pointer: &str) -> Option<usize> {
        let key = (file, pointer.to_owned());
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        if self.open.as_ref().is_none_or(|(open, _)| *open != file) {
            self.open = Some((file, Text::new(fs::read(file.as_str()).unwrap_or_default())));
        }
        let line = self.open.as_mut().and_then(|(_, text)| text.locate(pointer)).map(|(line, _)| line);
        self.known.insert(key, line);
        line
    }
}

/// What a listing asks for.
pub struct Ask {
    /// Only from these; `None` for everywhere.
    pub from: Option<Vec<End>>,
    /// Only to these; `None` for everywhere.
    pub to: Option<Vec<End>>,
    /// Only this traffic.
    pub traffic: Set,
    /// Whether the hops of each way are wanted.
    pub paths: bool,
    /// Only what one of these is an end of, or something in a subnet of theirs; `None` for everything.
    pub touching: Option<FxHashSet<End>>,
    /// Threads to work with.
    pub workers: NonZeroUsize,
}

impl Ask {
    /// Everything.
    pub fn all(workers: NonZeroUsize) -> Ask {
        Ask { from: None, to: None, traffic: Set::ALL, paths: false, touching: None, workers }
    }
}

/// What differs between the facts of two estates, or of one before and after a change.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// What is new.
    pub added: Vec<Fact>,
    /// What goes.
    pub removed: Vec<Fact>,
}

impl Edit {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    /// What differs between two estates.
    pub fn between(old: &Opened, new: &Opened) -> Edit {
        let lacks = |index: &Index, facts: Vec<Fact>| facts.into_iter().filter(|fact| !index.holds(fact)).collect();
        Edit { added: lacks(&old.index, new.index.facts()), removed: lacks(&new.index, old.index.facts()) }
    }
}

/// Reads `inputs`, the service tags and `watertight.toml`, and says what is wrong with them.
///
/// # Errors
/// Nothing could be read, `watertight.toml` or the service tags are wrong, or `--strict` was given and something is wrong.
pub fn open(inputs: &[PathBuf], global: &Global, console: &mut Console) -> Result<Opened, Fail> {
    let progress = console.progress("reading the input");
    let (files, mut diagnostics) = ingest::collect(inputs, &mut *console.stdin);
    let mut loaded = ingest::read_as_facts(files, extract);
    let config = config(&console.folder, inputs)?;
    let platform = platform(global, loaded.service_tags.take(), &mut diagnostics)?;
    let (estate, mut found) = Estate::from_loaded(loaded);
    diagnostics.append(&mut found);
    drop(progress);

    let empty = estate.is_empty();
    let mut opened =
        Opened { estate, index: Index::default(), platform, config, stated: Vec::new(), places: Mutex::default(), bounds: OnceLock::new() };
    opened.index = opened.estate.said().collect();
    let stated = opened.restate();
    let wrong = stated.iter().any(|d| d.severity == Severity::Error);
    diagnostics.extend(stated);
    place(&mut diagnostics);
    console.say(&diagnostics);
    if empty {
        return Err(Fail::new("cli::nothing_read", "nothing could be read: the input holds no resource")
            .help("export it again, or name other files"));
    }
    if wrong {
        return Err(Fail::new("cli::config", format!("`{}` cannot be used", toml::FILE)).help("correct the lines above"));
    }
    let serious = diagnostics.iter().filter(|d| d.severity != Severity::Info).count();
    if global.strict && serious > 0 {
        return Err(Fail::new("cli::strict", format!("the input is not clean: {}", crate::report::text::count(serious, "message"))));
    }
    Ok(opened)
}

/// `watertight.toml` of the current folder or above, else of a folder that is an input.
fn config(folder: &Path, inputs: &[PathBuf]) -> Result<Option<Config>, Fail> {
    let found = match toml::find(folder) {
        Some(path) => Some(path),
        None => {
            let mut beside: Vec<PathBuf> = inputs.iter().map(|input| input.join(toml::FILE)).filter(|file| file.is_file()).collect();
            beside.sort();
            beside.dedup();
            if let [one, other, ..] = beside.as_slice() {
                let message = format!("both `{}` and `{}` are there: which of them counts?", one.display(), other.display());
                return Err(Fail::new("cli::config", message).help("put one into the current folder"));
            }
            beside.pop()
        }
    };
    let Some(path) = found else { return Ok(None) };
    let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
    let bytes = fs::read(&path).map_err(|error| Fail::file(&path, "read", &error))?;
    let text = String::from_utf8(bytes).map_err(|_| Fail::new("config::unreadable", format!("`{name}` is not UTF-8")))?;
    Config::parse(&name, text).map(Some).map_err(Fail::Said)
}

fn platform(global: &Global, found: Option<(String, Vec<u8>)>, diagnostics: &mut Vec<Diagnostic>) -> Result<&'static Platform, Fail> {
    if let Some(path) = &global.service_tags {
        let bytes = fs::read(path).map_err(|error| Fail::file(path, "read", &error))?;
        let platform = Platform::with_service_tags(&bytes).map_err(|why| {
            Fail::new("cli::service_tags", format!("`{}`: {why}", path.display())).help("download ServiceTags_Public again")
        })?;
        return Ok(kept(platform));
    }
    if let Some((name, bytes)) = found {
        match Platform::with_service_tags(&bytes) {
            Ok(platform) => return Ok(kept(platform)),
            Err(why) => diagnostics.push(
                Diagnostic::new("ingest::service_tags", Severity::Error, why)
                    .at(&name, "")
                    .note("the built-in service tags are used instead"),
            ),
        }
    }
    Ok(Platform::builtin())
}

/// A list that was read lives as long as the process, as the built-in one does.
fn kept(platform: Platform) -> &'static Platform {
    Box::leak(Box::new(platform))
}

/// Gives diagnostics that name a place their line, reading each file once more.
fn place(diagnostics: &mut [Diagnostic]) {
    let mut file: Option<(String, Text<Vec<u8>>)> = None;
    for diagnostic in diagnostics.iter_mut().filter(|d| d.line.is_none() && !d.pointer.is_empty()) {
        if file.as_ref().is_none_or(|(name, _)| *name != diagnostic.file) {
            file = Some((diagnostic.file.clone(), Text::new(fs::read(&diagnostic.file).unwrap_or_default())));
        }
        if let Some((_, text)) = &mut file {
            diagnostic.line = text.locate(&diagnostic.pointer);
        }
    }
}

impl Opened {
    /// The facts of `watertight.toml` for the estate as it is now; they depend on what its selectors name.
    fn restate(&mut self) -> Vec<Diagnostic> {
        for fact in self.stated.drain(..) {
            self.index.remove(fact);
        }
        let Some(config) = &self.config else { return Vec::new() };
        let (facts, diagnostics) = config.facts(&self.index);
        // What the input itself states stays when this statement goes.
        self.stated = facts.into_iter().filter(|fact| self.index.insert(*fact)).collect();
        diagnostics
    }

    /// Applies change files in their order; what differs afterwards.
    ///
    /// # Errors
    /// A file cannot be read, or holds something that cannot be used.
    pub fn change(&mut self, files: &[PathBuf], console: &mut Console) -> Result<Edit, Fail> {
        let mut changes: Vec<Change> = Vec::new();
        for path in files {
            let bytes = fs::read(path).map_err(|error| Fail::file(path, "read", &error))?;
            let (mut more, mut diagnostics) = ingest::read_change(&Input { name: path.display().to_string(), bytes });
            place(&mut diagnostics);
            console.say(&diagnostics);
            if diagnostics.iter().any(|d| d.severity == Severity::Error) {
                return Err(Fail::new("cli::change", format!("`{}` cannot be used as a change", path.display())));
            }
            changes.append(&mut more);
        }
        let mut delta = self.estate.apply(changes);
        place(&mut delta.diagnostics);
        console.say(&delta.diagnostics);
        let mut edit = Edit { added: delta.added, removed: delta.removed };
        let stated = self.stated.clone();
        self.put(&edit);
        let diagnostics = self.restate();
        console.say(&diagnostics);
        edit.removed.extend(stated.iter().filter(|fact| !self.stated.contains(fact)));
        edit.added.extend(self.stated.iter().filter(|fact| !stated.contains(fact)));
        // A fact that both the input and `watertight.toml` state stays when one of them goes.
        edit.removed.retain(|fact| !self.index.holds(fact));
        edit.added.retain(|fact| self.index.holds(fact));
        Ok(edit)
    }

    fn put(&mut self, edit: &Edit) {
        self.bounds = OnceLock::new();
        for fact in &edit.removed {
            self.index.remove(*fact);
        }
        for fact in &edit.added {
            self.index.insert(*fact);
        }
    }

    /// Where the body of a resource, or of the nearest one above it, stood in the input.
    pub fn place(&self, id: Sym) -> Option<Place> {
        let source = self.estate.origin(id)?;
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let line = places.line(source.file, &source.pointer);
        Some(Place { file: source.file.as_str().to_owned(), pointer: source.pointer.clone(), line })
    }

    /// What flows are evaluated on.
    pub fn world(&self) -> World<'_> {
        World::new(&self.index, self.platform)
    }

    /// The endpoints that an optional selector names.
    ///
    /// # Errors
    /// What is wrong with the selector.
    pub fn ends(names: &Names, selector: Option<&str>) -> Result<Option<Vec<End>>, Fail> {
        selector.map(|text| names.many(text).map_err(selector_fail)).transpose()
    }

    /// Who reaches what, sorted.
    pub fn reach(&self, ask: &Ask) -> Vec<ReachRow> {
        reach_rows(&self.index, self.platform, ask)
    }

    /// The estate as one side of a change.
    pub fn side(&self) -> Side<'_> {
        Side { index: &self.index, platform: self.platform }
    }

    /// Where data can leave, shortest first.
    ///
    /// # Errors
    /// Those of the session.
    pub fn exfil(&self, ask: &Ask) -> Result<Vec<ExfilRow>, Fail> {
        let bounds = self.bounds(ask.workers).map_err(Fail::Text)?;
        let paths = exfil::Graph::new(&self.world()).bounded_by(bounds).on(ask.workers).paths(ask.from.as_deref(), ask.to.as_deref());
        let mut rows: Vec<ExfilRow> = paths.iter().map(|path| ExfilRow::of(path, &self.index)).collect();
        rows.sort();
        rows.dedup();
        Ok(rows)
    }

    /// What the dataflow settles of ways out.
    fn bounds(&self, workers: NonZeroUsize) -> Result<Option<&Bounds>, String> {
        if let Some(known) = self.bounds.get() {
            return Ok(known.as_ref());
        }
        let bounds = Bounds::of(self.index.facts(), &Arc::new(self.platform.clone()), workers.get())?;
        Ok(self.bounds.get_or_init(|| bounds).as_ref())
    }

    /// What keeps the data of the named sources from the sinks it cannot reach; nothing where no source is named.
    pub fn blocked(&self, ask: &Ask) -> Vec<BlockedRow> {
        let Some(from) = &ask.from else { return Vec::new() };
        BlockedRow::list(blockers::blockers(&self.world(), from, ask.to.as_deref()), &self.index)
    }

    /// What the shipped checks and those of the folder `queries` find, each finding with its proof.
    ///
    /// # Errors
    /// A check of the folder cannot be read or does not compile: the messages.
    pub fn verify(&self, queries: Option<&Path>, workers: NonZeroUsize) -> Result<Report, String> {
        let world = self.world();
        let bounds = self.bounds(workers)?;
        let derived = Derived::new(&world, workers).bounded_by(bounds);
        let relations = derived.relations();
        let checks = verify::checks(queries, &relations.declarations())?;
        let mut report = verify::run(&checks, &relations, DEFAULT_BUDGET);
        report.explain(&|finding| self.why(&derived, finding));
        Ok(report)
    }

    /// The lints and what they find.
    ///
    /// # Errors
    /// They could not be evaluated: the message.
    pub fn lint(&self, workers: NonZeroUsize) -> Result<(Vec<Lint>, Vec<lint::Finding>), String> {
        let world = self.world();
        let bounds = self.bounds(workers)?;
        let derived = Derived::new(&world, workers).bounded_by(bounds);
        let relations = derived.relations();
        let check = lint::compile(&relations.declarations()).map_err(|error| error.render())?;
        Ok((lint::lints(&check), lint::run(&check, &relations)?))
    }

    /// The proof of a finding: of the derived rows it follows from, else where the resources it names stand.
    fn why(&self, derived: &Derived<'_>, finding: &Finding) -> verify::Explanation {
        let (mut because, mut assumptions) = (Vec::new(), Vec::new());
        let mut known: Vec<Vec<Because>> = Vec::new();
        for premise in &finding.premises {
            let proof = derived.proof(&premise.relation, &premise.row);
            let line = |step: Step| {
                let id = if step.source.is_empty() { step.resource } else { step.source };
                let stage = if step.label == HOP { "hop" } else { step.stage.as_str() };
                self.because(stage, step.text, step.resource, id, step.kind)
            };
            let lines: Vec<Because> = proof.steps.into_iter().map(line).collect();
            if !known.contains(&lines) {
                known.push(lines);
            }
            assumptions.extend(proof.assumptions);
        }
        because.extend(known.into_iter().flatten());
        if because.is_empty() {
            for (column, value) in &finding.witness {
                let id = value.as_symbol().filter(|text| text.starts_with('/')).map(Sym::new);
                if let Some(id) = id.filter(|id| self.estate.origin(*id).is_some()) {
                    let text = id.as_str().rsplit('/').next().unwrap_or_default().to_owned();
                    because.push(self.because(column, text, id, id, Kind::Fact));
                }
            }
        }
        (because, assumptions)
    }

    fn because(&self, stage: &str, text: String, resource: Sym, id: Sym, kind: Kind) -> Because {
        let nowhere = id.is_empty() || matches!(kind, Kind::Default | Kind::Assumption);
        let place = if nowhere { None } else { self.place(id) };
        let (file, pointer, line) = place.map_or_else(Default::default, |place| (place.file, place.pointer, place.line));
        Because { stage: stage.to_owned(), text, resource, file, pointer, line }
    }
}

/// Who reaches what by the facts of an index, sorted.
pub fn reach_rows(index: &Index, platform: &Platform, ask: &Ask) -> Vec<ReachRow> {
    let asked = reach::Ask {
        from: ask.from.as_deref(),
        to: ask.to.as_deref(),
        traffic: ask.traffic,
        paths: ask.paths,
        ends: reach::Ends::Widest,
        touching: ask.touching.as_ref(),
    };
    let rows = reach::rows(index, platform, &asked, ask.workers);
    let mut rows: Vec<ReachRow> = rows.iter().map(|row| ReachRow::of(row, index)).collect();
    rows.sort();
    rows.dedup();
    rows
}

/// Evaluates one flow, or the copy from one end of it to the other that `driver` starts.
///
/// # Errors
/// There is no such copy: why, in plain words.
pub fn answer(world: &World, flow: &Flow, driver: Option<End>) -> Result<Answer, String> {
    match driver {
        None => Ok(point::answer(world, flow)),
        Some(driver) => copy::possible(world, flow).map(|()| copy::answer(world, flow, driver)),
    }
}

/// A selector on the command line that cannot be used.
pub fn selector_fail(error: crate::config::SelectorError) -> Fail {
    let mut diagnostic = Diagnostic::new("cli::selector", Severity::Error, error.message.clone());
    if !error.candidates.is_empty() {
        diagnostic.note = Some(error.listed());
    }
    diagnostic.help = error.help;
    Fail::Said(vec![diagnostic])
}

/// Threads to work with: as many as asked for, else one a processor.
pub fn workers(global: &Global) -> NonZeroUsize {
    global.workers.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}
