using System.Globalization;
using System.Text;

namespace Entrepot.TestSupport.Telemetry;

/// <summary>What is in an OTLP export request of spans or of log records. Source: opentelemetry-proto v1, trace.proto, logs.proto and common.proto.</summary>
internal static class OtlpRequest
{
    public static List<OtlpSpan> Spans(ReadOnlySpan<byte> request) => Read(request, Span);

    public static List<OtlpLog> Logs(ReadOnlySpan<byte> request) => Read(request, Log);

    private delegate T ReadItem<T>(ReadOnlySpan<byte> item, IReadOnlyDictionary<string, string> resource, string scope);

    /// <summary>Both are built alike: request.1 = of one resource { 1 = resource { 1 = attributes }, 2 = of one scope { 1 = scope { 1 = name }, 2 = items } }.</summary>
    private static List<T> Read<T>(ReadOnlySpan<byte> request, ReadItem<T> read)
    {
        var items = new List<T>();
        for (var all = new ProtobufReader(request); all.Read();)
        {
            if (all.Field != 1) continue;
            var resource = Attributes(First(all.Bytes, 1), 1);
            for (var ofResource = new ProtobufReader(all.Bytes); ofResource.Read();)
            {
                if (ofResource.Field != 2) continue;
                var scope = Text(First(First(ofResource.Bytes, 1), 1));
                for (var ofScope = new ProtobufReader(ofResource.Bytes); ofScope.Read();)
                    if (ofScope.Field == 2)
                        items.Add(read(ofScope.Bytes, resource, scope));
            }
        }
        return items;
    }

    private static OtlpSpan Span(ReadOnlySpan<byte> span, IReadOnlyDictionary<string, string> resource, string scope)
    {
        var (start, end) = (0UL, 0UL);
        for (var field = new ProtobufReader(span); field.Read();)
        {
            if (field.Field == 7) start = field.Number;
            if (field.Field == 8) end = field.Number;
        }
        return new OtlpSpan(Service(resource), Instance(resource), scope, Id(span, 1), Id(span, 2), Id(span, 4), Text(First(span, 5)), start, end, Attributes(span, 9));
    }

    private static OtlpLog Log(ReadOnlySpan<byte> log, IReadOnlyDictionary<string, string> resource, string scope) =>
        new(Service(resource), Instance(resource), scope, Id(log, 9), Id(log, 10), Text(First(log, 3)), Value(First(log, 5)), Attributes(log, 6));

    private static string Service(IReadOnlyDictionary<string, string> resource) => resource.GetValueOrDefault("service.name", "");

    private static string Instance(IReadOnlyDictionary<string, string> resource) => resource.GetValueOrDefault("service.instance.id", "");

    private static Dictionary<string, string> Attributes(ReadOnlySpan<byte> message, int number)
    {
        var attributes = new Dictionary<string, string>();
        for (var field = new ProtobufReader(message); field.Read();)
            if (field.Field == number)
                attributes[Text(First(field.Bytes, 1))] = Value(First(field.Bytes, 2));
        return attributes;
    }

    private static string Value(ReadOnlySpan<byte> any)
    {
        for (var value = new ProtobufReader(any); value.Read();)
        {
            switch (value.Field)
            {
                case 1: return Text(value.Bytes);
                case 2: return value.Number == 1 ? "true" : "false";
                case 3: return ((long)value.Number).ToString(CultureInfo.InvariantCulture);
                case 4: return BitConverter.UInt64BitsToDouble(value.Number).ToString(CultureInfo.InvariantCulture);
            }
        }
        return "";
    }

    /// <summary>The first field of that number; empty when there is none.</summary>
    private static ReadOnlySpan<byte> First(ReadOnlySpan<byte> message, int number)
    {
        for (var field = new ProtobufReader(message); field.Read();)
            if (field.Field == number)
                return field.Bytes;
        return default;
    }

    private static string Id(ReadOnlySpan<byte> message, int number) => Convert.ToHexStringLower(First(message, number));

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
