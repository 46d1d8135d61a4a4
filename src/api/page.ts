/** The first page: one file, no framework, nothing from elsewhere. It asks for the key itself and keeps it in the tab. */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';

export function frontPageRoutes(app: FastifyInstance): void {
  const html = readFileSync(join(import.meta.dirname, 'page', 'index.html'), 'utf8');
  // Only this very script and style run: whatever else found its way into the page does not.
  const policy = [
    "default-src 'none'",
    `script-src ${digestOf(html, 'script')}`,
    `style-src ${digestOf(html, 'style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  app.get('/', { config: { scope: 'open' }, schema: { hide: true } }, async (_, reply) => {
    reply.headers({
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-cache',
    });
    reply.type('text/html; charset=utf-8');
    return html;
  });
}

function digestOf(html: string, tag: 'script' | 'style'): string {
  const text = html.slice(html.indexOf(`<${tag}>`) + tag.length + 2, html.indexOf(`</${tag}>`));
  return `'sha256-${hash('sha256', text, 'base64')}'`;
}
