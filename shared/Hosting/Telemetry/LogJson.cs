using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Entrepot.Hosting.Telemetry;

/// <summary>One JSON object on a line for each entry: time, level, category, id, message, template, properties, exception, trace, span.</summary>
internal sealed class LogJson(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "entrepot-json";

    // Read by log collectors, never put into HTML.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("time"u8, time.GetUtcNow().UtcDateTime);
            json.WriteString("level"u8, logEntry.LogLevel.ToString());
            json.WriteString("category"u8, logEntry.Category);
            if (logEntry.EventId.Id != 0)
                json.WriteNumber("id"u8, logEntry.EventId.Id);
            json.WriteString("message"u8, logEntry.Formatter(logEntry.State, logEntry.Exception));
            if (logEntry.State is IReadOnlyList<KeyValuePair<string, object?>> { Count: > 0 } state)
                Write(json, state);
            if (logEntry.Exception is { } exception)
                json.WriteString("exception"u8, exception.ToString());
            if (Activity.Current is { } activity)
            {
                json.WriteString("trace"u8, activity.TraceId.ToHexString());
                json.WriteString("span"u8, activity.SpanId.ToHexString());
            }

            json.WriteEndObject();
        }

        textWriter.Write(Encoding.UTF8.GetString(buffer.WrittenSpan));
        textWriter.Write('\n');
    }

    private static void Write(Utf8JsonWriter json, IReadOnlyList<KeyValuePair<string, object?>> state)
    {
        if (state[^1] is { Key: "{OriginalFormat}", Value: string template })
            json.WriteString("template"u8, template);
        json.WriteStartObject("properties"u8);
        foreach (var (name, value) in state)
        {
            if (name == "{OriginalFormat}")
                continue;
            json.WritePropertyName(name);
            switch (value)
            {
                case null:
                    json.WriteNullValue();
                    break;
                case bool flag:
                    json.WriteBooleanValue(flag);
                    break;
                case int or long or short or byte or uint:
                    json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                    break;
                case double number when double.IsFinite(number):
                    json.WriteNumberValue(number);
                    break;
                default:
                    json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture));
                    break;
            }
        }

        json.WriteEndObject();
    }
}
