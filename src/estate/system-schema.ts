/** Systems and how they are reached. */
import { Type } from 'typebox';
import { closed, secretSchema } from './schema-parts.ts';

export const systemSchema = Type.Object(
  {
    connector: Type.String({
      minLength: 1,
      description: 'name of a connector that ships with Crossdock, e.g. sim-erp, or of one in connectors',
    }),
    url: Type.Optional(
      Type.Union([Type.String({ minLength: 1 }), secretSchema], { description: 'where it answers; default: nowhere' }),
    ),
    token: Type.Optional(Type.Union(secretSchema.anyOf, { description: 'what it is asked with' })),
    webhookSecret: Type.Optional(Type.Union(secretSchema.anyOf, { description: 'what its webhooks are signed with' })),
    settings: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: "the connector's own settings" }),
    ),
    limits: Type.Optional(
      Type.Object(
        {
          callsPerSecond: Type.Optional(
            Type.Number({
              exclusiveMinimum: 0,
              maximum: 10_000,
              description: 'reads and writes together; default 200',
            }),
          ),
          concurrency: Type.Optional(
            Type.Integer({ minimum: 1, maximum: 64, description: 'calls at once; default 4' }),
          ),
          timeoutMs: Type.Optional(Type.Integer({ minimum: 50, maximum: 120_000, description: 'default 10000' })),
          batchMax: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 1000,
              description: 'items a call; default: what the connector declares',
            }),
          ),
        },
        closed,
      ),
    ),
    effectHorizonMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 3_600_000,
        description: 'how long after a write its effect may still appear; default 1000',
      }),
    ),
    quantities: Type.Optional(
      Type.Union([Type.Literal('gross'), Type.Literal('net')], {
        description:
          'what its counts say. gross: all that is there; net: less what it has allocated itself, as it reports; default gross',
      }),
    ),
    pollMs: Type.Optional(
      Type.Integer({
        minimum: 10,
        maximum: 3_600_000,
        description: 'pause after a poll that found something; default 1000',
      }),
    ),
    pollMsMax: Type.Optional(
      Type.Integer({
        minimum: 10,
        maximum: 86_400_000,
        description: 'to which that pause grows while nothing is found; default: pollMs',
      }),
    ),
    attemptsMax: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: 'tries before a write is parked; default 20' }),
    ),
  },
  closed,
);
