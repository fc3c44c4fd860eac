//! The ports for pipelines and settings.

use leadcore::domain::{Pipeline, Stage, StageKind};
use leadcore::error::{Conflict, Error, ErrorKind, Result};
use leadcore::id::{PipelineId, Revision, StageId};
use leadcore::store::{Pipelines, SettingName, Settings};
use leadcore::value::fold;

use crate::error::StoreResult as _;
use crate::row::{Columns, corrupt, signed, to_json};
use crate::txn::SqliteTxn;

use super::records::before;

const INSERT: &str = "INSERT INTO leadcore_pipeline (tenant, id, revision, name, name_key, is_default) VALUES (?, ?, ?, ?, ?, ?)";
const UPDATE: &str = "UPDATE leadcore_pipeline SET revision = ?, name = ?, name_key = ?, is_default = ? WHERE tenant = ? AND id = ? AND revision = ?";
const REVISION: &str = "SELECT revision FROM leadcore_pipeline WHERE tenant = ? AND id = ?";
const LIST: &str = "SELECT id, revision, name, is_default FROM leadcore_pipeline WHERE tenant = ? ORDER BY is_default DESC, name_key, id";
const STAGES: &str = "SELECT id, name, kind, probability, color, required_fields, allowed_next, wip_limit, idle_days FROM leadcore_stage WHERE tenant = ? AND pipeline = ? ORDER BY position";
const STAGE_IDS: &str = "SELECT id FROM leadcore_stage WHERE tenant = ? AND pipeline = ?";
const PUT_STAGE: &str = "INSERT INTO leadcore_stage (tenant, id, pipeline, position, name, kind, probability, color, required_fields, allowed_next, wip_limit, idle_days) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (tenant, id) DO UPDATE SET position = ?4, name = ?5, kind = ?6, probability = ?7, color = ?8, required_fields = ?9, allowed_next = ?10, wip_limit = ?11, idle_days = ?12 WHERE pipeline = ?3";
const DROP_STAGE: &str = "DELETE FROM leadcore_stage WHERE tenant = ? AND id = ?";
const DROP_STAGES: &str = "DELETE FROM leadcore_stage WHERE tenant = ? AND pipeline = ?";
const REMOVE: &str = "DELETE FROM leadcore_pipeline WHERE tenant = ? AND id = ? AND revision = ?";
const LOAD: &str = "SELECT revision, json FROM leadcore_setting WHERE tenant = ? AND name = ?";
const SAVE_FIRST: &str =
    "INSERT INTO leadcore_setting (tenant, name, revision, json) VALUES (?, ?, 1, ?) ON CONFLICT DO NOTHING";
const SAVE: &str = "UPDATE leadcore_setting SET revision = revision + 1, json = ? WHERE tenant = ? AND name = ? AND revision = ?";

impl SqliteTxn<'_> {
    fn put_stages(&self, pipeline: &Pipeline) -> Result<()> {
        let owner = pipeline.id.as_uuid();
        let mut put = self.prepare(PUT_STAGE, "write a stage")?;
        for (position, stage) in (0_i64..).zip(&pipeline.stages) {
            let id = stage.id.as_uuid();
            let row = (
                self.tenant_text(),
                id.as_bytes().as_slice(),
                owner.as_bytes().as_slice(),
                position,
                &stage.name,
                stage.kind.code(),
                stage.probability,
                stage.color.as_deref(),
                (!stage.required_fields.is_empty()).then(|| to_json(&stage.required_fields)).transpose()?,
                stage.allowed_next.as_ref().map(to_json).transpose()?,
                stage.wip_limit,
                stage.idle_days,
            );
            if put.execute(row).store("write a stage")? == 0 {
                let sentence = "a stage with this id exists in another pipeline";
                return Err(Error::new(ErrorKind::AlreadyExists, sentence));
            }
        }
        Ok(())
    }

    fn drop_other_stages(&self, pipeline: &Pipeline) -> Result<()> {
        let mut statement = self.prepare(STAGE_IDS, "read stages")?;
        let owner = pipeline.id.as_uuid();
        let mut rows =
            statement.query((self.tenant_text(), owner.as_bytes().as_slice())).store("read stages")?;
        let mut gone = Vec::new();
        while let Some(row) = rows.next().store("read stages")? {
            let id = StageId::from_uuid(Columns::of(row).uuid()?);
            if pipeline.stage(id).is_none() {
                gone.push(id);
            }
        }
        let mut remove = self.prepare(DROP_STAGE, "remove a stage")?;
        for id in gone {
            remove
                .execute((self.tenant_text(), id.as_uuid().as_bytes().as_slice()))
                .map_err(|error| crate::error::still_in_use(error, "stage", 1))?;
        }
        Ok(())
    }

    fn stages(&self, pipeline: PipelineId) -> Result<Vec<Stage>> {
        let mut statement = self.prepare(STAGES, "read stages")?;
        let id = pipeline.as_uuid();
        let mut rows =
            statement.query((self.tenant_text(), id.as_bytes().as_slice())).store("read stages")?;
        let mut stages = Vec::new();
        while let Some(row) = rows.next().store("read stages")? {
            let mut columns = Columns::of(row);
            let (id, name) = (StageId::from_uuid(columns.uuid()?), columns.text()?);
            let mut stage = Stage::new(id, name, columns.code("stage", StageKind::from_code)?);
            let percent = columns.optional_int()?.map(u8::try_from).transpose();
            stage.probability = percent.map_err(|_| corrupt("stage"))?;
            stage.color = columns.string()?;
            stage.required_fields = columns.json("stage")?;
            stage.allowed_next = columns.json("stage")?;
            let limit = columns.optional_int()?.map(u32::try_from).transpose();
            stage.wip_limit = limit.map_err(|_| corrupt("stage"))?;
            let days = columns.optional_int()?.map(u16::try_from).transpose();
            stage.idle_days = days.map_err(|_| corrupt("stage"))?;
            stages.push(stage);
        }
        Ok(stages)
    }
}

impl Pipelines for SqliteTxn<'_> {
    fn remove(&mut self, pipeline: &Pipeline) -> Result<()> {
        self.slice(|| {
            let id = pipeline.id.as_uuid();
            self.prepare(DROP_STAGES, "remove stages")?
                .execute((self.tenant_text(), id.as_bytes().as_slice()))
                .map_err(|error| crate::error::still_in_use(error, "stage", 1))?;
            let removed = self
                .prepare(REMOVE, "remove a pipeline")?
                .execute((self.tenant_text(), id.as_bytes().as_slice(), signed(pipeline.revision.get())?))
                .store("remove a pipeline")?;
            match removed {
                0 => Err(self.missed(REVISION, "pipeline", id, pipeline.revision)?),
                _ => Ok(()),
            }
        })
    }

    fn insert(&mut self, pipeline: &Pipeline) -> Result<()> {
        self.slice(|| {
            let id = pipeline.id.as_uuid();
            let row = (
                self.tenant_text(),
                id.as_bytes().as_slice(),
                signed(pipeline.revision.get())?,
                &pipeline.name,
                fold(&pipeline.name),
                pipeline.is_default,
            );
            self.prepare(INSERT, "add a pipeline")?.execute(row).store("add a pipeline")?;
            self.put_stages(pipeline)
        })
    }

    fn update(&mut self, pipeline: &Pipeline) -> Result<()> {
        self.slice(|| {
            let (id, expected) = (pipeline.id.as_uuid(), before(pipeline.revision));
            let row = (
                signed(pipeline.revision.get())?,
                &pipeline.name,
                fold(&pipeline.name),
                pipeline.is_default,
                self.tenant_text(),
                id.as_bytes().as_slice(),
                signed(expected.get())?,
            );
            if self.prepare(UPDATE, "write a pipeline")?.execute(row).store("write a pipeline")? == 0 {
                return Err(self.missed(REVISION, "pipeline", id, expected)?);
            }
            self.drop_other_stages(pipeline)?;
            self.put_stages(pipeline)
        })
    }

    fn list(&mut self) -> Result<Vec<Pipeline>> {
        let mut statement = self.prepare(LIST, "list pipelines")?;
        let mut rows = statement.query((self.tenant_text(),)).store("list pipelines")?;
        let mut pipelines = Vec::new();
        while let Some(row) = rows.next().store("list pipelines")? {
            let mut columns = Columns::of(row);
            let id = PipelineId::from_uuid(columns.uuid()?);
            let (revision, name) = (columns.revision()?, columns.text()?);
            let is_default = columns.int()? == 1;
            let stages = self.stages(id)?;
            let mut pipeline =
                Pipeline::new(id, name, is_default, stages).map_err(|_| corrupt("pipeline"))?;
            pipeline.revision = revision;
            pipelines.push(pipeline);
        }
        Ok(pipelines)
    }
}

impl Settings for SqliteTxn<'_> {
    fn load(&mut self, name: SettingName) -> Result<Option<(Revision, String)>> {
        let mut statement = self.prepare(LOAD, "read a setting")?;
        let mut rows = statement.query((self.tenant_text(), name.code())).store("read a setting")?;
        match rows.next().store("read a setting")? {
            None => Ok(None),
            Some(row) => {
                let mut columns = Columns::of(row);
                Ok(Some((columns.revision()?, columns.text()?.to_owned())))
            }
        }
    }

    fn save(&mut self, name: SettingName, expected: Option<Revision>, json: &str) -> Result<Revision> {
        let written = match expected {
            None => {
                self.prepare(SAVE_FIRST, "write a setting")?.execute((self.tenant_text(), name.code(), json))
            }
            Some(expected) => self.prepare(SAVE, "write a setting")?.execute((
                json,
                self.tenant_text(),
                name.code(),
                signed(expected.get())?,
            )),
        }
        .store("write a setting")?;
        let expected = expected.unwrap_or(Revision::new(0));
        if written == 0 {
            let found = self.load(name)?.map_or(Revision::new(0), |(revision, _)| revision);
            return Err(Error::conflicting("setting", Conflict::StaleRevision { expected, found }));
        }
        Ok(expected.next())
    }
}
