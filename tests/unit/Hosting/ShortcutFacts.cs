using System.Text;
using Entrepot.Hosting;
using Entrepot.TestSupport.Clients;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Entrepot.UnitTests.Hosting;

public sealed class ShortcutFacts
{
    [Fact]
    public async Task However_many_requests_a_connection_sends_ahead_each_is_answered_once_and_in_its_order()
    {
        var shortcut = new Shortcut();
        await using var host = await TestHost.StartAsync(
            services: services => services.AddSingleton<IShortcut>(shortcut),
            pipeline: app => app.Run(http => http.Response.WriteAsync("slow " + http.Request.Path.Value![1..])));

        // Some are for the shortcut, some for the application, at every place of a row.
        var paths = Enumerable.Range(0, 500).Select(i => i % 5 == 3 ? $"slow-{i}" : $"fast-{i}").ToList();
        var text = string.Concat(paths.Select(path => $"GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        var (answers, closed) = await RawHttp.SendManyAsync(host.Address.Port, Encoding.ASCII.GetBytes(text), [.. paths.Select(_ => false)]);
        Assert.False(closed);
        Assert.Equal(
            paths.Select(path => path.StartsWith("fast", StringComparison.Ordinal) ? $"fast {path}" : $"slow {path}"),
            answers.Select(answer => Encoding.ASCII.GetString(answer.Body)));
        Assert.Equal(400, shortcut.Answered);
    }

    private sealed class Shortcut : IShortcut
    {
        private int _answered;

        public int Answered => Volatile.Read(ref _answered);

        public Task? AnswerOrNull(IFeatureCollection request)
        {
            var path = request.Get<IHttpRequestFeature>()!.Path[1..];
            if (!path.StartsWith("fast", StringComparison.Ordinal)) return null;
            Interlocked.Increment(ref _answered);
            return request.Get<IHttpResponseBodyFeature>()!.Writer.WriteAsync(Encoding.ASCII.GetBytes($"fast {path}")).AsTask();
        }
    }
}
