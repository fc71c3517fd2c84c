using System.Text;
using Microsoft.AspNetCore.Http;

namespace Entrepot.Api.Responses;

/// <summary>Writes a JSON document that is one long array, piece by piece: its length is known before, and it is never in memory as a whole.</summary>
internal static class ArrayBody
{
    private const int FlushBytes = 64 << 10;

    /// <param name="http">The exchange; HEAD gets the length alone.</param>
    /// <param name="before">What stands before the first item.</param>
    /// <param name="items">The items.</param>
    /// <param name="lengthOf">The length of an item's JSON in bytes.</param>
    /// <param name="write">Writes an item's JSON into as many bytes.</param>
    /// <param name="after">What stands behind the last item.</param>
    public static async Task WriteAsync<T>(HttpContext http, string before, IReadOnlyList<T> items, Func<T, int> lengthOf, Action<T, Span<byte>> write, string after)
    {
        http.Response.ContentLength = before.Length + after.Length + items.Sum(item => (long)lengthOf(item) + 1) - (items.Count > 0 ? 1 : 0);
        if (http.Request.Method == HttpMethods.Head) return;

        var body = http.Response.BodyWriter;
        Encoding.ASCII.GetBytes(before, body);
        var unflushed = 0;
        for (var i = 0; i < items.Count; i++)
        {
            var length = lengthOf(items[i]) + (i > 0 ? 1 : 0);
            var span = body.GetSpan(length)[..length];
            if (i > 0) span[0] = (byte)',';
            write(items[i], i > 0 ? span[1..] : span);
            body.Advance(length);
            if ((unflushed += length) < FlushBytes) continue;
            if ((await body.FlushAsync(http.RequestAborted)).IsCompleted) return;
            unflushed = 0;
        }
        Encoding.ASCII.GetBytes(after, body);
        await body.FlushAsync(http.RequestAborted);
    }
}
