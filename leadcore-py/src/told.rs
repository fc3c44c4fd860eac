//! What is told of estimates and lines: what each line comes to, and the number as people read it.

use leadcore::context::Context;
use leadcore::desk;
use leadcore::desk::series::Writing;
use leadcore::domain::{Estimate, LeadLines, Line};
use leadcore::error::Result;
use leadcore::store::Txn;
use leadcore::value::Currency;
use pyo3::prelude::*;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;

use crate::convert::to_json;

/// An estimate or the products of a lead, with what each line comes to.
#[derive(Serialize)]
pub(crate) struct Told<'r, R> {
    #[serde(flatten)]
    pub(crate) record: &'r R,
    pub(crate) nets: Vec<Decimal>,
}

pub(crate) fn nets(lines: &[Line], currency: Option<Currency>) -> Vec<Decimal> {
    // What is stored keeps the rules.
    lines.iter().map(|line| line.amounts(currency).map_or(Decimal::ZERO, |amounts| amounts.net)).collect()
}

/// An estimate, with its number as people read it.
#[derive(Serialize)]
pub(crate) struct ToldEstimate<'e> {
    #[serde(flatten)]
    told: Told<'e, Estimate>,
    written: String,
}

pub(crate) fn told<'e>(estimate: &'e Estimate, writing: &Writing<Estimate>) -> ToldEstimate<'e> {
    let told = Told { record: estimate, nets: nets(&estimate.fields.lines, estimate.fields.currency) };
    ToldEstimate { told, written: writing.write(estimate) }
}

/// With how numbers are written.
pub(crate) fn known<T>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    found: Result<T>,
) -> Result<(T, Writing<Estimate>)> {
    Ok((found?, desk::series::writing(ctx, txn)?))
}

pub(crate) fn one(py: Python<'_>, (estimate, writing): &(Estimate, Writing<Estimate>)) -> PyResult<String> {
    to_json(py, &told(estimate, writing))
}

pub(crate) fn told_lines(list: &LeadLines) -> Told<'_, LeadLines> {
    Told { record: list, nets: nets(&list.lines, list.currency) }
}

/// An estimate on its own: what borrows it cannot leave the page.
pub(crate) fn to_value(estimate: &Estimate, writing: &Writing<Estimate>) -> Value {
    serde_json::to_value(told(estimate, writing)).unwrap_or_default()
}
