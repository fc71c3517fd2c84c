using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Entrepot.Oci;

/// <summary>One error as a registry tells it. Source: OCI distribution-spec v1.1, Error codes.</summary>
/// <param name="Code">What went wrong.</param>
/// <param name="Message">For a person: names the thing, the value and the fix. May hold text from outside: it is escaped on the wire.</param>
/// <param name="Detail">More, where there is more; left out of the JSON when null.</param>
public sealed record OciError(OciErrorCode Code, string Message, string? Detail = null)
{
    // Quotes and other HTML characters stay readable in a terminal: the body is only ever served as application/json.
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>The response body, <c>{"errors":[{"code","message","detail"}]}</c>, in UTF-8.</summary>
    public byte[] ToUtf8Json()
    {
        var buffer = new ArrayBufferWriter<byte>(128 + Message.Length + (Detail?.Length ?? 0));
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("errors"u8);
            writer.WriteStartObject();
            writer.WriteString("code"u8, Code.WireText());
            writer.WriteString("message"u8, Message);
            if (Detail is not null)
                writer.WriteString("detail"u8, Detail);
            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
