"""Small Excel workbooks, written part by part."""

import io
import zipfile
from xml.sax.saxutils import escape

RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy hh:mm"/></numFmts>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/></cellXfs></styleSheet>'
)


def cell(value):
    """A cell as Excel writes it: text inline, numbers plain, `(serial, style)` a date, an `#N/A` an error."""
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, tuple):
        return f'<c s="{value[1]}"><v>{value[0]}</v></c>'
    if isinstance(value, int | float):
        return f"<c><v>{value!r}</v></c>"
    if value.startswith("#"):
        return f'<c t="e"><v>{value}</v></c>'
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def sheet(rows):
    """A sheet's XML."""
    body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    return f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>'


def two_sheets(first, second):
    """The bytes of a workbook with two visible sheets."""
    sheets = '<sheet name="Read me" sheetId="1" r:id="r1"/><sheet name="Rows" sheetId="2" r:id="r2"/>'
    book = f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{sheets}</sheets></workbook>'
    return workbook(second, parts={"xl/workbook.xml": book, "xl/worksheets/sheet1.xml": sheet(first)})


def merged(rows, *ranges):
    """The bytes of a workbook with merged cells."""
    cells = "".join(f'<mergeCell ref="{one}"/>' for one in ranges)
    described = sheet(rows).replace("</sheetData>", f"</sheetData><mergeCells>{cells}</mergeCells>")
    return workbook([], parts={"xl/worksheets/sheet2.xml": described})


def workbook(rows, before="", parts=None):
    """The bytes of a workbook whose visible sheet holds these rows; `parts` replaces parts by name."""
    sheets = '<sheet name="Hidden" sheetId="1" state="hidden" r:id="r1"/><sheet name="Rows" sheetId="2" r:id="r2"/>'
    held = {
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/>'
        '<Relationship Id="r2" Target="/xl/worksheets/sheet2.xml"/></Relationships>',
        "xl/styles.xml": STYLES,
        "xl/worksheets/sheet1.xml": sheet([["not", "this"]]),
        "xl/worksheets/sheet2.xml": before + sheet(rows),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (held | (parts or {})).items():
            archive.writestr(name, content)
    return out.getvalue()
