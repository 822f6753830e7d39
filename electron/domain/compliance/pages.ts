/** The pages of a report: a few building blocks over pdfkit, with embedded fonts and fixed dates, so the same facts give the same file. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import PDFDocument from 'pdfkit';

const fonts = join(
  dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')),
  'ttf',
);
const margin = 50;
const ink = '#1c2430';
const quiet = '#5b6675';
const rule = '#cfd6de';
const accent = '#2f5fa8';

export interface Attachment {
  readonly name: string;
  readonly type: string;
  readonly description: string;
  readonly content: Uint8Array;
  /** Kept as it is, so that its bytes can be found in the file. */
  readonly uncompressed?: true;
}

export interface Cell {
  readonly text: string;
  readonly mono?: true;
}

export interface Column {
  readonly title: string;
  /** Share of the width. */
  readonly share: number;
}

export interface Bar {
  readonly label: string;
  /** From 0 to 1. */
  readonly from: number;
  readonly to: number;
  readonly open: boolean;
}

export interface Pages {
  title(text: string, subtitle: string): void;
  heading(text: string): void;
  paragraph(text: string): void;
  facts(rows: readonly (readonly [string, string])[]): void;
  table(columns: readonly Column[], rows: readonly (readonly (string | Cell)[])[]): void;
  timeline(bars: readonly Bar[], ends: readonly [string, string]): void;
  attach(file: Attachment): void;
  finish(footer: string): Promise<Uint8Array>;
}

export function createPages(info: {
  readonly title: string;
  readonly subject: string;
  readonly date: Date;
}): Pages {
  const { date } = info;
  const doc = new PDFDocument({
    subset: 'PDF/A-3b',
    pdfVersion: '1.7',
    lang: 'en',
    displayTitle: true,
    size: 'A4',
    margin,
    bufferPages: true,
    font: join(fonts, 'DejaVuSansCondensed.ttf'),
    info: {
      Title: info.title,
      Subject: info.subject,
      Creator: 'Strongroom',
      Producer: 'Strongroom',
      CreationDate: date,
      ModDate: date,
    },
  });
  doc.registerFont('text', join(fonts, 'DejaVuSansCondensed.ttf'));
  doc.registerFont('bold', join(fonts, 'DejaVuSansCondensed-Bold.ttf'));
  doc.registerFont('mono', join(fonts, 'DejaVuSansMono.ttf'));
  const chunks: Buffer[] = [];
  doc.on('data', (chunk: Buffer) => chunks.push(chunk));
  const width = doc.page.width - 2 * margin;
  const bottom = doc.page.height - margin - 20;

  function room(height: number): void {
    if (doc.y + height > bottom) doc.addPage();
  }

  function line(): void {
    doc
      .moveTo(margin, doc.y)
      .lineTo(margin + width, doc.y)
      .lineWidth(0.5)
      .strokeColor(rule)
      .stroke();
  }

  function drawRow(
    columns: readonly Column[],
    cells: readonly (string | Cell)[],
    font: 'text' | 'bold',
  ): void {
    const style = (cell: string | Cell): { text: string; font: string; size: number } =>
      typeof cell === 'object' && cell.mono === true
        ? { text: cell.text, font: 'mono', size: 7 }
        : { text: typeof cell === 'string' ? cell : cell.text, font, size: 8 };
    const widths = columns.map(({ share }) => share * width - 6);
    const heights = cells.map((cell, at) => {
      const { text, font: name, size } = style(cell);
      return doc
        .font(name)
        .fontSize(size)
        .heightOfString(text, { width: widths[at] ?? 0 });
    });
    const height = Math.max(...heights) + 6;
    room(height);
    const top = doc.y + 3;
    let x = margin;
    for (const [at, cell] of cells.entries()) {
      const { text, font: name, size } = style(cell);
      doc
        .font(name)
        .fontSize(size)
        .fillColor(font === 'bold' ? quiet : ink)
        .text(text, x, top, { width: widths[at] ?? 0 });
      x += (columns[at]?.share ?? 0) * width;
    }
    doc.x = margin;
    doc.y = top + height - 3;
    line();
  }

  return {
    title(text, subtitle) {
      doc
        .font('bold')
        .fontSize(9)
        .fillColor(accent)
        .text('STRONGROOM', margin, margin, { characterSpacing: 1.5 });
      doc.moveDown(0.6).font('bold').fontSize(20).fillColor(ink).text(text);
      doc.moveDown(0.2).font('text').fontSize(10).fillColor(quiet).text(subtitle);
      doc.moveDown(0.8);
      line();
      doc.moveDown(0.8);
    },
    heading(text) {
      room(60);
      doc.moveDown(0.9).font('bold').fontSize(11).fillColor(ink).text(text, margin).moveDown(0.4);
    },
    paragraph(text) {
      room(30);
      doc
        .font('text')
        .fontSize(9.5)
        .fillColor(ink)
        .text(text, margin, doc.y, { width, lineGap: 2 })
        .moveDown(0.4);
    },
    facts(rows) {
      for (const [name, value] of rows) {
        doc.font('mono').fontSize(8);
        const height = doc.heightOfString(value, { width: width - 130 }) + 4;
        room(height);
        const top = doc.y;
        doc.font('text').fontSize(8.5).fillColor(quiet).text(name, margin, top, { width: 120 });
        doc
          .font('mono')
          .fontSize(8)
          .fillColor(ink)
          .text(value, margin + 130, top, { width: width - 130 });
        doc.x = margin;
        doc.y = top + height;
      }
    },
    table(columns, rows) {
      line();
      drawRow(
        columns,
        columns.map(({ title }) => title),
        'bold',
      );
      for (const row of rows) drawRow(columns, row, 'text');
    },
    timeline(bars, ends) {
      const left = margin + 110;
      const span = width - 110;
      room(bars.length * 18 + 30);
      const top = doc.y + 4;
      for (const [at, { label, from, to, open }] of bars.entries()) {
        const y = top + at * 18;
        doc
          .font('text')
          .fontSize(8)
          .fillColor(ink)
          .text(label, margin, y + 1, { width: 104, height: 12, ellipsis: true });
        doc.rect(left, y, span, 11).fillColor('#eef1f5').fill();
        doc
          .rect(left + from * span, y, Math.max(2, (to - from) * span), 11)
          .fillColor(open ? accent : '#8fa9d0')
          .fill();
      }
      const axis = top + bars.length * 18 + 2;
      doc
        .font('text')
        .fontSize(7.5)
        .fillColor(quiet)
        .text(ends[0], left, axis, { width: span / 2 });
      doc.text(ends[1], left + span / 2, axis, { width: span / 2, align: 'right' });
      doc.x = margin;
      doc.y = axis + 16;
    },
    attach({ name, type, description, content, uncompressed }) {
      const compress = doc.compress;
      if (uncompressed === true) doc.compress = false;
      // PDF/A-3 wants the relationship to be told; the types of pdfkit do not know it yet.
      const options = {
        name,
        type,
        description,
        relationship: 'Data',
        creationDate: date,
        modifiedDate: date,
      };
      doc.file(Buffer.from(content), options);
      doc.compress = compress;
    },
    finish(footer) {
      const { start, count } = doc.bufferedPageRange();
      for (let page = start; page < start + count; page += 1) {
        doc.switchToPage(page);
        doc.page.margins.bottom = 0;
        const y = doc.page.height - margin + 8;
        doc
          .font('mono')
          .fontSize(6.5)
          .fillColor(quiet)
          .text(footer, margin, y, { width: width - 70, lineBreak: false });
        doc
          .font('text')
          .fontSize(7.5)
          .text(`Page ${page + 1} of ${count}`, margin + width - 70, y, {
            width: 70,
            align: 'right',
            lineBreak: false,
          });
      }
      return new Promise((resolve) => {
        doc.on('end', () => resolve(Buffer.concat(chunks)));
        doc.end();
      });
    },
  };
}
