using Entrepot.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Entrepot.UnitTests.Hosting;

/// <summary>A real host of the platform on a free loopback port.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private TestHost(WebApplication app, LogSink log) => (App, Log) = (app, log);

    public WebApplication App { get; }

    public LogSink Log { get; }

    public Uri Address => new(App.Urls.First());

    public static async Task<TestHost> StartAsync(
        Dictionary<string, string?>? settings = null, Action<IServiceCollection>? services = null, Action<WebApplication>? pipeline = null)
    {
        var given = new Dictionary<string, string?> { ["Urls"] = "http://127.0.0.1:0" };
        foreach (var (key, value) in settings ?? [])
            given[key] = value;
        var options = new OptionsSchema().Add<PlatformOptions>("").Bind(new ConfigurationBuilder().AddInMemoryCollection(given).Build());
        Assert.Empty(options.Errors);
        var builder = PlatformHost.CreateBuilder(options, "entrepot-test");
        var log = new LogSink();
        builder.Logging.AddProvider(log);
        services?.Invoke(builder.Services);
        var app = builder.Build();
        pipeline?.Invoke(app);
        await app.StartAsync();
        return new(app, log);
    }

    public async ValueTask DisposeAsync()
    {
        await App.StopAsync();
        await App.DisposeAsync();
    }

    public sealed class LogSink : ILoggerProvider, ILogger
    {
        private readonly System.Collections.Concurrent.ConcurrentQueue<string> _lines = new();

        public IReadOnlyCollection<string> Lines => _lines;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue($"{logLevel}: {formatter(state, exception)}{(exception is null ? "" : $" | {exception}")}");

        public void Dispose()
        {
        }
    }
}
